"""`migrate --down` gives back the schema byte for byte, as pg_dump describes it, whatever the schema was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import LiteralString

import pytest

from db import migrate
from tests.db import test_named_shapes, test_shapes
from tests.db.support import Connection
from tests.db.test_adoption import APPLICATION, ROWS, dump
from tests.support.database import Database

pytestmark = pytest.mark.any_version

OTHER: dict[str, LiteralString] = {
    "an application with all that a table can have": APPLICATION + ROWS,
    "neither table": "CREATE TABLE tickets (id int PRIMARY KEY)",
    "grants, policies, comments and statistics": """
        CREATE TABLE users (id int PRIMARY KEY, name text);
        CREATE TABLE opportunities (id int PRIMARY KEY, title text, owner_id int REFERENCES users (id) ON UPDATE CASCADE);
        GRANT SELECT ON opportunities TO PUBLIC; GRANT SELECT (id), UPDATE (title) ON opportunities TO pg_monitor;
        GRANT SELECT ON users TO pg_monitor WITH GRANT OPTION;
        ALTER TABLE opportunities ENABLE ROW LEVEL SECURITY;
        CREATE POLICY everyone ON opportunities USING (true);
        COMMENT ON TABLE opportunities IS 'Ours'; COMMENT ON COLUMN opportunities.title IS 'Name';
        CREATE STATISTICS pair ON id, owner_id FROM opportunities;
        ALTER TABLE opportunities ALTER COLUMN title SET STATISTICS 500, ALTER COLUMN title SET STORAGE EXTERNAL;
        ALTER TABLE opportunities REPLICA IDENTITY FULL, SET (fillfactor = 70, autovacuum_enabled = false);
        CREATE PUBLICATION all_changes FOR TABLE opportunities, users;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor;
    """,
    "columns that were dropped, and names of ours": """
        CREATE TABLE users (id int PRIMARY KEY, gone int); ALTER TABLE users DROP COLUMN gone;
        CREATE TABLE opportunities (gone int, id int PRIMARY KEY, board_id text NOT NULL DEFAULT 'x', version_number bigint,
                                    last_sync_at timestamptz, last_modified_by text, position int, phase text);
        ALTER TABLE opportunities DROP COLUMN gone;
        CREATE TABLE boards (id int); CREATE TABLE board_members (id int); CREATE TABLE user_presence (id int);
        CREATE TABLE opportunity_versions (id int); CREATE TABLE alembic_version (version_num varchar(32) NOT NULL);
        INSERT INTO alembic_version VALUES ('0001');
        CREATE FUNCTION notify() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER z BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION notify();
        ALTER TABLE opportunities DISABLE TRIGGER z;
        CREATE VIEW cards AS SELECT id, phase FROM opportunities;
        CREATE MATERIALIZED VIEW counts AS SELECT board_id, count(*) FROM opportunities GROUP BY 1;
        CREATE RULE quiet AS ON DELETE TO users DO ALSO NOTIFY gone;
    """,
    "a partitioned table in more than one schema": """
        CREATE SCHEMA archive; CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE opportunities (id int PRIMARY KEY, title text) PARTITION BY RANGE (id);
        CREATE TABLE archive.low PARTITION OF opportunities FOR VALUES FROM (0) TO (10);
        CREATE TABLE high PARTITION OF opportunities DEFAULT PARTITION BY HASH (id);
        CREATE TABLE high_0 PARTITION OF high FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        CREATE INDEX titles ON opportunities (title);
    """,
}


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    async with await empty_database.connect() as conn:
        yield conn


@pytest.mark.parametrize("shape", [*OTHER, *test_shapes.SHAPES])
async def test_a_migrated_schema_is_given_back(
    app: Connection, empty_database: Database, binaries: Path | None, shape: str
) -> None:
    tables = OTHER[shape] if shape in OTHER else test_shapes.SHAPES[shape][0]
    await app.execute(tables.encode())
    before = dump(empty_database, binaries)
    migrate.upgrade(empty_database.url)
    assert dump(empty_database, binaries) != before
    # Again, as after a schema tool, and after tables were attached.
    await app.execute("CREATE TABLE extra (id int PRIMARY KEY); SELECT feed.attach('extra')")
    await app.execute(
        "ALTER TABLE opportunities DROP COLUMN IF EXISTS position CASCADE"
        if "position" not in before
        else "DROP TRIGGER feed_begin ON opportunities"
    )
    migrate.mend(empty_database.url)
    assert migrate.downgrade(empty_database.url)
    await app.execute("DROP TABLE extra")
    assert dump(empty_database, binaries) == before
    assert not migrate.downgrade(empty_database.url), "there is nothing to remove"


@pytest.mark.parametrize("name", test_named_shapes.SHAPES)
async def test_an_adopted_schema_is_given_back(
    app: Connection, empty_database: Database, binaries: Path | None, name: str
) -> None:
    shape = test_named_shapes.SHAPES[name]
    await app.execute(b"CREATE SCHEMA crm;" + shape.tables.encode())
    before = dump(empty_database, binaries)
    test_named_shapes.adopt(empty_database, shape)
    assert migrate.downgrade(empty_database.url)
    assert dump(empty_database, binaries) == before


async def test_the_feed_alone_is_removed(app: Connection, empty_database: Database, binaries: Path | None) -> None:
    await app.execute(APPLICATION + ROWS)
    before = dump(empty_database, binaries)
    migrate.upgrade(empty_database.url, feed_only=True)
    await app.execute("SELECT feed.attach('opportunities', exclude => '{value}'); SELECT feed.attach('notes')")
    assert migrate.downgrade(empty_database.url)
    assert dump(empty_database, binaries) == before
