"""`migrate --check` names everything that stands in the way, and what would be added, and changes nothing."""

from collections.abc import AsyncIterator
from typing import LiteralString

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from db import migrate
from db.migration_check import check
from tests.db.support import Connection, rows, value
from tests.db.test_adoption import APPLICATION, ROWS
from tests.support.database import Database

pytestmark = pytest.mark.any_version

CATALOG: LiteralString = """
    SELECT 'relation' AS kind, c.oid, c.relfilenode, c.relacl::text AS rights FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger', t.oid, 0, t.tgname::text FROM pg_trigger AS t
    UNION ALL SELECT 'schema', n.oid, 0, n.nspname::text FROM pg_namespace AS n WHERE n.nspname !~ '^pg_(toast_)?temp'
    UNION ALL SELECT 'column', a.attrelid, a.attnum, a.attname::text FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'function', p.oid, 0, p.proname::text FROM pg_proc AS p WHERE p.oid >= 16384
    ORDER BY 1, 2, 3
"""

OBSTACLES: dict[str, tuple[LiteralString, tuple[str, ...]]] = {
    "several at once": (
        """
        CREATE SCHEMA feed; CREATE TABLE feed.log (id int);
        CREATE UNLOGGED TABLE opportunities (a int, b int, board_id text, PRIMARY KEY (a, b));
        INSERT INTO opportunities VALUES (1, 1, 'x,y');
        CREATE TABLE other (id int); CREATE INDEX feed_opportunities_board_id ON other (id);
        CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER feed_begin BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION own();
        CREATE TRIGGER zz_feed_version BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION own();
        """,
        (
            "schema named feed",
            "is unlogged",
            "no primary key of one column",
            "value 'x,y'",
            "index public.feed_opportunities_board_id",
            "trigger feed_begin of its own",
            "trigger zz_feed_version of its own",
        ),
    ),
    "a key that is null, generated, and not unique": (
        "CREATE TABLE opportunities (a int, id int GENERATED ALWAYS AS (a) STORED PRIMARY KEY DEFERRABLE)",
        ("is generated", "is deferrable"),
    ),
    "an inheritance child with a bad row": (
        """
        CREATE TABLE a (x int); CREATE TABLE opportunities (id text PRIMARY KEY) INHERITS (a);
        INSERT INTO opportunities (id) VALUES ('..');
        """,
        ("a child of", "has the id '..'"),
    ),
    "a view with our name": ("CREATE VIEW opportunities AS SELECT 1 AS id", ("is a view, not a table",)),
    "a trigger of users": (
        """
        CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE opportunities (id text PRIMARY KEY);
        CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER feed_forget_users AFTER DELETE ON users FOR EACH STATEMENT EXECUTE FUNCTION own();
        """,
        ("trigger feed_forget_users of its own",),
    ),
}


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    async with await empty_database.connect() as conn:
        yield conn


@pytest.mark.parametrize("case", OBSTACLES)
async def test_all_obstacles_are_named_at_once(app: Connection, empty_database: Database, case: str) -> None:
    schema, expected = OBSTACLES[case]
    await app.execute(schema)
    before = await rows(app, CATALOG)
    found = check(empty_database.url)
    assert len(found.obstacles) == len(expected), found.obstacles
    for part in expected:
        assert any(part in obstacle for obstacle in found.obstacles), (part, found.obstacles)
    assert found.steps == []
    assert await rows(app, CATALOG) == before


@pytest.mark.parametrize("case", OBSTACLES)
async def test_the_migration_is_refused_with_the_same_reasons(
    app: Connection, empty_database: Database, case: str
) -> None:
    schema, _ = OBSTACLES[case]
    await app.execute(schema)
    reasons = [reason for reason in check(empty_database.url).obstacles if "schema named feed" not in reason]
    await app.execute("DROP SCHEMA IF EXISTS feed CASCADE")
    before = await rows(app, CATALOG)
    with pytest.raises(Exception, match="cannot be the board") as refused:
        migrate.upgrade(empty_database.url)
    for reason in reasons:
        assert reason in str(refused.value)
    assert await rows(app, CATALOG) == before


async def test_what_would_be_added_is_what_is_added(app: Connection, empty_database: Database) -> None:
    await app.execute(APPLICATION)
    await app.execute(ROWS)
    before = await rows(app, CATALOG)
    found = check(empty_database.url)
    assert await rows(app, CATALOG) == before
    assert found.obstacles == []
    columns = await _columns(app)
    migrate.upgrade(empty_database.url)
    added = await _columns(app) - columns
    assert {step.split()[2] for step in found.steps if step.startswith("add column")} == added != set()
    triggers = await rows(
        app, "SELECT tgname FROM pg_trigger WHERE tgrelid IN ('opportunities'::regclass, 'users'::regclass)"
    )
    named = ", ".join(step for step in found.steps if step.startswith("create triggers"))
    ours = {row["tgname"] for row in triggers if row["tgname"].startswith(("feed_", "zz_feed"))}
    assert all(name in named for name in ours)
    assert named.count("feed_") + named.count("zz_feed") - named.count("zz_feed_version") == len(ours)
    assert any("feed_opportunities_board_id" in step for step in found.steps)
    assert [lock.partition(":")[0] for lock in found.locks] == [
        "public.opportunities, public.users",
        "public.opportunities",
        "public.opportunities",
    ]
    assert check(empty_database.url) == ([], [], [])


async def test_after_a_schema_tool_what_is_missing_is_named(app: Connection, empty_database: Database) -> None:
    await app.execute(APPLICATION)
    migrate.upgrade(empty_database.url)
    await app.execute(
        "ALTER TABLE opportunities DROP COLUMN board_id; DROP TRIGGER feed_capture_update ON opportunities"
    )
    found = check(empty_database.url)
    assert found.obstacles == []
    text = "; ".join(found.steps)
    assert "add column board_id" in text
    assert "feed_capture_update" in text
    assert "feed_opportunities_board_id" in text
    migrate.mend(empty_database.url)
    assert check(empty_database.url).steps == []


async def test_an_empty_database_gets_both_tables(app: Connection, empty_database: Database) -> None:
    found = check(empty_database.url)
    assert found.obstacles == []
    assert any("create table public.opportunities" in step for step in found.steps)
    assert found.locks == []
    assert not any("create table" in step for step in check(empty_database.url, feed_only=True).steps)
    assert await value(app, "SELECT to_regclass('public.opportunities') IS NULL AND to_regnamespace('feed') IS NULL")


async def test_a_table_with_other_names_is_examined(app: Connection, empty_database: Database) -> None:
    await app.execute(
        "CREATE TABLE deals (id int PRIMARY KEY, stage jsonb, pipeline int); CREATE VIEW people AS SELECT 1 AS x"
    )
    found = check(empty_database.url, "deals", {"phase": "stage", "title": "nome"}, users="people")
    assert len(found.obstacles) == 3
    found = check(empty_database.url, "deals", {"board_id": "pipeline"})
    assert found.obstacles == []
    assert any("feed_opportunities_board_id on public.deals (pipeline)" in step for step in found.steps)
    assert not any("board_id text" in step for step in found.steps)
    assert "no table" in check(empty_database.url, "dealz").obstacles[0]


async def test_rights_that_are_missing_are_named(app: Connection, empty_database: Database) -> None:
    name = f"{empty_database.name}_plain"
    await app.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(name)))
    try:
        await app.execute("CREATE TABLE opportunities (id text PRIMARY KEY)")
        obstacles = check(make_conninfo(empty_database.url, user=name, password="x")).obstacles
        assert any("GRANT CREATE ON DATABASE" in obstacle for obstacle in obstacles)
    finally:
        await app.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


async def test_nobody_waits_for_the_check(app: Connection, empty_database: Database) -> None:
    await app.execute(APPLICATION)
    await app.execute(ROWS)
    async with await empty_database.connect(autocommit=False) as writer:
        await writer.execute("UPDATE opportunities SET title = 'x' WHERE id = 'o1'")
        assert check(empty_database.url).obstacles == []
        await writer.rollback()


async def _columns(app: Connection) -> set[str]:
    found = await rows(
        app,
        "SELECT attname FROM pg_attribute WHERE attrelid IN ('opportunities'::regclass, 'users'::regclass)"
        " AND attnum > 0 AND NOT attisdropped",
    )
    return {row["attname"] for row in found}
