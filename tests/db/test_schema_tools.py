"""A schema tool that drops boardcast's objects disables features until the next `boardcast migrate`, but no write fails."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.rows import dict_row

from cli.schema import upgrade
from tests.support.database import Database

pytestmark = pytest.mark.any_version

ROOT = Path(__file__).parents[2]
Connection = psycopg.Connection[dict[str, Any]]
Push = Callable[[], None]

CONFIG = """
export default {{ dialect: "postgresql", schema: "{schema}", dbCredentials: {{ url: process.env.DATABASE_URL }} }};
"""
SCHEMA = """
import { index, integer, pgTable, serial, text } from "drizzle-orm/pg-core";
export const users = pgTable("users", { id: serial("id").primaryKey(), name: text("name").notNull() });
export const opportunities = pgTable("opportunities", {
  id: serial("id").primaryKey(),
  title: text("title").notNull(),
  phase: text("phase").notNull(),
  ownerId: integer("owner_id").references(() => users.id),
}, (table) => [index("opportunities_phase").on(table.phase)]);
"""
PRISMA = Path(__file__).parent / "prisma"
"""A description of the same tables, and Prisma's packages."""
APPLICATION = """
    CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL);
    CREATE TABLE opportunities (
        id serial PRIMARY KEY, title text NOT NULL, phase text NOT NULL, owner_id integer REFERENCES users (id)
    );
    CREATE INDEX opportunities_phase ON opportunities (phase);
"""


@pytest.fixture
def conn(empty_database: Database) -> Iterator[Connection]:
    with psycopg.connect(empty_database.url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture(params=["drizzle-kit push", "prisma db push"])
def push(request: pytest.FixtureRequest, empty_database: Database, tmp_path: Path) -> Push:
    """Make the database equal to the application's description of it."""
    return (_drizzle if request.param.startswith("drizzle") else _prisma)(empty_database, tmp_path)


def _drizzle(database: Database, folder: Path) -> Push:
    _require(ROOT / "node_modules", "make setup")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (folder / "schema.mjs").write_text(SCHEMA)
    (folder / "drizzle.config.mjs").write_text(CONFIG.format(schema=folder / "schema.mjs"))
    program = ROOT / "node_modules" / ".bin" / "drizzle-kit"

    def push() -> None:
        output = _run(folder, database, program, "push", "--force", "--config=drizzle.config.mjs")
        assert "Changes applied" in output or "No changes detected" in output, output

    return push


def _prisma(database: Database, _: Path) -> Push:
    _require(PRISMA / "node_modules", "make test")
    program = PRISMA / "node_modules" / ".bin" / "prisma"

    def push() -> None:
        # It does not end, because it leaves a connection open.
        with subprocess.Popen(
            [program, "db", "push", "--accept-data-loss", "--skip-generate"],
            cwd=PRISMA,
            env=_environment(database),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if re.search("in sync with (your|the) Prisma schema", line):
                    break
            else:
                pytest.fail("".join(lines))
            process.kill()

    return push


def _require(packages: Path, target: str) -> None:
    if shutil.which("node") is None or not packages.exists():
        pytest.fail(f"needs Node and the packages that `{target}` installs")


def _run(folder: Path, database: Database, *command: str | Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(database),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def _environment(database: Database) -> dict[str, str]:
    # Prisma downloads each engine for which it is given no path, even if it does not use it.
    unused = {"PRISMA_QUERY_ENGINE_LIBRARY": "/dev/null", "PRISMA_SCHEMA_ENGINE_BINARY": "/dev/null"}
    return {"PATH": os.environ["PATH"], "DATABASE_URL": database.url, "CHECKPOINT_DISABLE": "1"} | unused


def query(conn: Connection, statement: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in conn.execute(statement, parameters).fetchall()]


def problems(conn: Connection) -> set[str]:
    """The topics of health that are not well, of those that a schema tool can harm."""
    found = query(conn, "SELECT topic FROM feed.health WHERE status <> 'ok' AND fix IS NOT NULL")
    return {topic for (topic,) in found} & {"triggers", "indexes", "opportunities", "ownership"}


def test_two_pushes_stop_no_write_and_one_command_restores_everything(
    empty_database: Database, conn: Connection, push: Push
) -> None:
    conn.execute(APPLICATION)
    conn.execute("INSERT INTO users (name) VALUES ('Ana')")
    conn.execute("INSERT INTO opportunities (title, phase) VALUES ('First', 'new'), ('Second', 'won')")
    push()  # the description matches
    upgrade(empty_database.url)
    assert problems(conn) == set()
    added = query(conn, "SELECT added FROM feed.adopted WHERE role = 'opportunities'")
    assert added == [(["board_id", "position", "version_number"],)]
    conn.execute(
        """INSERT INTO feed.boards (id, name, phases) VALUES ('b2', 'Two', '[{"id": "won", "name": "Won"}]')"""
    )
    conn.execute("UPDATE opportunities SET board_id = 'b2', position = 'a5' WHERE id = 2")
    conn.execute("UPDATE opportunities SET title = 'Changed' WHERE id = 2")
    seen = query(conn, "SELECT max(version) FROM feed.log WHERE relation = 'opportunities'")[0][0]

    for number in (1, 2):
        push()
        before = query(conn, "SELECT max(seq) FROM feed.log")[0][0]
        conn.execute("INSERT INTO opportunities (title, phase) VALUES ('New', 'new')")
        conn.execute("UPDATE opportunities SET title = title || %s", (str(number),))
        conn.execute("DELETE FROM opportunities WHERE title LIKE 'New%'")
        logged = query(conn, "SELECT op, board FROM feed.log WHERE seq > %s ORDER BY seq", before)
        assert logged == [(op, "main") for op in ("insert", "update", "update", "update", "delete")]
        assert {"opportunities"} <= problems(conn) <= {"opportunities", "indexes", "triggers"}
        assert len(query(conn, "SELECT * FROM feed.opportunities_on('{main}')")) == 2
        assert query(conn, "SELECT count(*) FROM feed.boards") == [(2,)]

    assert upgrade(empty_database.url)
    assert problems(conn) == set()
    assert query(conn, "SELECT id, board_id, position FROM opportunities ORDER BY id") == [
        (1, "main", "a0"),
        (2, "b2", "a5"),
    ]
    assert query(conn, "SELECT min(version_number) FROM opportunities")[0][0] > seen
    assert query(conn, "SELECT op FROM feed.log ORDER BY seq DESC LIMIT 1") == [("reload",)]
    assert upgrade(empty_database.url) == []
    before = query(conn, "SELECT version_number FROM opportunities WHERE id = 1")[0][0]
    conn.execute("UPDATE opportunities SET title = 'Whole' WHERE id = 1")
    assert query(conn, "SELECT version, board FROM feed.log ORDER BY seq DESC LIMIT 1") == [(before + 1, "main")]


@pytest.mark.parametrize(
    "lost",
    [
        "DROP TRIGGER feed_capture_update ON opportunities",
        "DROP TRIGGER zz_feed_version ON opportunities",
        "DROP TRIGGER feed_begin ON opportunities",
        "DROP TRIGGER feed_forget_users ON users",
        "DROP TRIGGER feed_forget_all_users ON users",
        """CREATE OR REPLACE TRIGGER zz_feed_version BEFORE UPDATE ON opportunities FOR EACH ROW WHEN (false)
        EXECUTE FUNCTION feed.version_opportunity('last_sync_at')""",
        """CREATE OR REPLACE TRIGGER feed_capture_update AFTER UPDATE ON opportunities FOR EACH STATEMENT WHEN (false)
        EXECUTE FUNCTION feed.capture('=opportunities', 'board_id', 'id')""",
        "DROP FUNCTION feed.mend",
        "DROP VIEW feed.triggers CASCADE",
        "DROP INDEX feed_opportunities_board_id",
        "DROP VIEW opportunity_versions",
        "ALTER TABLE opportunities DROP COLUMN board_id CASCADE",
        "ALTER TABLE opportunities DROP CONSTRAINT opportunities_board_id_fkey",
        "ALTER TABLE opportunities DROP COLUMN notes, DROP COLUMN company, DROP COLUMN last_modified_by",
        "REVOKE ALL ON opportunities FROM feed_app, feed_listener",
        "DROP TRIGGER feed_capture_insert ON feed.boards",
    ],
)
def test_each_dropped_object_stops_no_write_and_is_restored(
    empty_database: Database, conn: Connection, lost: LiteralString
) -> None:
    upgrade(empty_database.url)
    conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')")
    conn.execute("INSERT INTO opportunities (id, board_id, title, notes) VALUES ('o1', 'b1', 'One', 'kept')")
    conn.execute(lost)
    conn.execute("INSERT INTO opportunities (id, title) SELECT 'o2', 'Two' WHERE false")
    conn.execute("UPDATE opportunities SET title = 'Uno'")
    upgrade(empty_database.url)
    assert problems(conn) == set()
    assert query(conn, "SELECT title, notes, board_id FROM opportunities") == [("Uno", "kept", "b1")]
    assert upgrade(empty_database.url) == []
    conn.execute("UPDATE opportunities SET title = 'Eins'")
    assert query(conn, "SELECT op, board FROM feed.log ORDER BY seq DESC LIMIT 1") == [("update", "b1")]
    conn.execute("DELETE FROM feed.boards")
    assert query(conn, "SELECT count(*) FROM opportunities") == [(0,)]
