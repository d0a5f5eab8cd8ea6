"""boardcast can be installed into an existing application's database and removed without changing the application."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from db import migrate
from db.embedded.binaries import find_binaries
from tests.db.support import Connection, log_rows, logged_changes, newest_seq, rows, value
from tests.support.database import Database

pytestmark = pytest.mark.any_version

# Tables as an Express application creates them with Drizzle.
APPLICATION = """
    CREATE TYPE mood AS ENUM ('warm', 'cold');
    CREATE TABLE users (
        id varchar PRIMARY KEY DEFAULT gen_random_uuid(),
        name varchar(200) NOT NULL,
        "createdAt" timestamp DEFAULT now() NOT NULL
    );
    CREATE TABLE opportunities (
        id varchar PRIMARY KEY DEFAULT gen_random_uuid(),
        title varchar(200) NOT NULL,
        value numeric,
        phase varchar NOT NULL DEFAULT 'prospecting',
        position integer NOT NULL DEFAULT 0,
        "ownerId" varchar REFERENCES users (id),
        "customFields" json DEFAULT '{"a":  1, "a": 2}',
        tags text[] NOT NULL DEFAULT '{}',
        mood mood,
        search text GENERATED ALWAYS AS (lower(title)) STORED,
        created_at timestamp DEFAULT now() NOT NULL,
        updated_at timestamp DEFAULT now() NOT NULL
    );
    COMMENT ON COLUMN opportunities.position IS 'ours';
    CREATE INDEX opportunities_phase ON opportunities (phase);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW IS DISTINCT FROM OLD THEN NEW.updated_at := now(); END IF; RETURN NEW; END$$;
    CREATE FUNCTION touch_always() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN NEW.updated_at := now(); RETURN NEW; END$$;
    CREATE TRIGGER set_updated_at BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION touch_always();
    CREATE TABLE notes (id serial PRIMARY KEY, opportunity_id varchar NOT NULL REFERENCES opportunities (id) ON DELETE CASCADE);
"""
ROWS = """
    INSERT INTO users (id, name) VALUES ('u1', 'Ana'), ('u2', 'Bruno');
    INSERT INTO opportunities (id, title, value, phase, "ownerId", tags) VALUES
        ('o1', 'First', 10.5, 'prospecting', 'u1', '{a,b}'), ('o2', 'Second', NULL, 'won', NULL, '{}');
    INSERT INTO notes (opportunity_id) VALUES ('o1');
"""


def dump(database: Database, binaries: Path | None, *what: str) -> str:
    """Dump the schema and the rows with pg_dump, without the lines that differ between runs."""
    found = conninfo_to_dict(database.url)
    program = (binaries or find_binaries()) / "pg_dump"
    done = subprocess.run(
        [
            program,
            "--no-owner",
            *what,
            database.url.replace(f":{found['password']}@", "@"),
        ],
        env={"PGPASSWORD": str(found["password"]), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(
        line for line in done.stdout.splitlines() if not line.startswith(("--", "\\restrict", "\\unrestrict"))
    )


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    """The application's connection, opened before boardcast is installed."""
    async with await empty_database.connect() as conn:
        await conn.execute(APPLICATION)
        await conn.execute(ROWS)
        yield conn


def test_a_downgrade_restores_the_original_schema_and_rows(empty_database: Database, binaries: Path | None) -> None:
    with psycopg.connect(empty_database.url, autocommit=True) as conn:
        conn.execute(APPLICATION)
        conn.execute(ROWS)
        before = dump(empty_database, binaries)
        migrate.upgrade(empty_database.url)
        assert dump(empty_database, binaries) != before
        migrate.downgrade(empty_database.url)
    assert dump(empty_database, binaries) == before


async def test_an_upgrade_does_not_rewrite_existing_rows(app: Connection, empty_database: Database) -> None:
    statement = "SELECT o.*, o.xmin::text AS xmin, o.ctid::text AS ctid FROM opportunities AS o ORDER BY id"
    before = await rows(app, statement)
    migrate.upgrade(empty_database.url)
    after = await rows(app, statement)
    assert [{name: row[name] for name in old_row} for old_row, row in zip(before, after, strict=True)] == before
    assert await value(app, "SELECT count(*) FROM feed.log WHERE relation = 'opportunities'") == 0


async def test_the_applications_writes_are_logged(app: Connection, empty_database: Database) -> None:
    migrate.upgrade(empty_database.url)
    before = await newest_seq(app)
    await app.execute("""INSERT INTO opportunities (id, title, "ownerId") VALUES ('o3', 'Third', 'u1')""")
    await app.execute("UPDATE opportunities SET phase = 'won', value = 7 WHERE id = 'o1'")
    await app.execute("DELETE FROM opportunities WHERE id = 'o1'")
    assert await logged_changes(app, before) == [
        ("insert", "o3", "main"),
        ("update", "o1", "main"),
        ("delete", "o1", "main"),
    ]
    inserted, updated, _ = await log_rows(app, before)
    assert inserted["new"]["search"] == "third"
    assert inserted["new"]["ownerId"] == "u1"
    assert updated["new"]["customFields"] == {"a": 2}
    assert (updated["new"]["tags"], updated["new"]["value"], updated["version"]) == (["a", "b"], 7, 2)
    assert updated["new"]["search"] == "first"


async def test_ids_from_a_column_default_are_the_keys(app: Connection, empty_database: Database) -> None:
    migrate.upgrade(empty_database.url)
    before = await newest_seq(app)
    new_id = await value(app, "INSERT INTO opportunities (title) VALUES ('x') RETURNING id")
    assert await logged_changes(app, before) == [("insert", new_id, "main")]


async def test_an_update_counts_if_only_the_applications_trigger_changes_the_row(
    app: Connection, empty_database: Database
) -> None:
    await app.execute("DROP TRIGGER set_updated_at ON opportunities")
    await app.execute(
        "CREATE TRIGGER set_updated_at BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION touch_always()"
    )
    migrate.upgrade(empty_database.url)
    before = await newest_seq(app)
    await app.execute("UPDATE opportunities SET title = title WHERE id = 'o1'")
    # The application's trigger changed the row, so this is a change.
    assert await logged_changes(app, before) == [("update", "o1", "main")]
    await app.execute("ALTER TABLE opportunities DISABLE TRIGGER set_updated_at")
    before = await newest_seq(app)
    await app.execute("UPDATE opportunities SET title = title WHERE id = 'o1'")
    assert await log_rows(app, before) == []


async def test_existing_users_become_members_of_the_main_board(app: Connection, empty_database: Database) -> None:
    migrate.upgrade(empty_database.url)
    assert await rows(app, "SELECT user_id, role FROM feed.board_members WHERE board_id = 'main' ORDER BY 1") == [
        {"user_id": "u1", "role": "editor"},
        {"user_id": "u2", "role": "editor"},
    ]
    assert await value(app, "SELECT phases FROM feed.boards WHERE id = 'main'") == [
        {"id": "prospecting", "name": "prospecting"},
        {"id": "won", "name": "won"},
    ]


@pytest.mark.parametrize("nullable", [False, True], ids=["empty", "without phases"])
async def test_the_first_write_to_an_empty_table_or_one_without_phases_is_logged(
    empty_database: Database, nullable: bool
) -> None:
    async with await empty_database.connect() as conn:
        await conn.execute("CREATE TABLE users (id varchar PRIMARY KEY)")
        await conn.execute("CREATE TABLE opportunities (id varchar PRIMARY KEY, phase varchar)")
        if nullable:
            await conn.execute("INSERT INTO opportunities VALUES ('o0')")
        migrate.upgrade(empty_database.url)
        before = await newest_seq(conn)
        await conn.execute("INSERT INTO opportunities VALUES ('o1', 'new')")
        await conn.execute("UPDATE opportunities SET phase = 'won' WHERE id = 'o0'")
        expected = [("insert", "o1", "main"), ("update", "o0", "main")]
        assert await logged_changes(conn, before) == (expected if nullable else expected[:1])
        assert await value(conn, "SELECT phases FROM feed.boards WHERE id = 'main'") == []


async def test_a_fresh_database_has_no_board(database: Database) -> None:
    assert await database.execute("SELECT FROM feed.boards") == []


async def test_a_downgrade_keeps_columns_that_the_application_had(
    empty_database: Database, binaries: Path | None
) -> None:
    with psycopg.connect(empty_database.url, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("CREATE TABLE users (id text PRIMARY KEY, name text, email text NOT NULL UNIQUE)")
        conn.execute(
            "CREATE TABLE opportunities (id text PRIMARY KEY, board_id text, version_number int DEFAULT 5, last_modified_by text, "
            "last_sync_at timestamptz, notes text, position text COMPRESSION pglz)"
        )
        conn.execute("CREATE INDEX opportunities_board_id ON opportunities (board_id)")
        conn.execute("INSERT INTO opportunities (id, notes) VALUES ('o1', 'mine')")
        before = dump(empty_database, binaries)
        migrate.upgrade(empty_database.url)
        conn.execute("UPDATE opportunities SET notes = 'changed' WHERE id = 'o1'")
        versions: list[dict[str, Any]] = conn.execute("SELECT version_number FROM opportunities").fetchall()
        assert versions == [{"version_number": 6}]
        conn.execute("UPDATE opportunities SET notes = 'mine', version_number = 5, last_sync_at = NULL")
        migrate.downgrade(empty_database.url)
        conn.execute("UPDATE opportunities SET version_number = 5, last_sync_at = NULL")
    assert dump(empty_database, binaries) == before


async def test_a_downgrade_drops_the_indexes_that_the_upgrade_created(
    empty_database: Database, binaries: Path | None
) -> None:
    with psycopg.connect(empty_database.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE opportunities (id text PRIMARY KEY, board_id text)")
        before = dump(empty_database, binaries)
        migrate.upgrade(empty_database.url)
        migrate.downgrade(empty_database.url)
    assert dump(empty_database, binaries) == before
