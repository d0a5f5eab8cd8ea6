"""Correct rows are never reported, whoever runs verify and however they were written."""

from typing import LiteralString

from db.changelog import verify
from tests.db.support import Connection, rows, sqlstate_of, value
from tests.db.verifying import Plain, bypass_triggers, fed_table, find_drift
from tests.support.database import Database


async def test_a_timestamp_key_is_the_same_in_every_time_zone(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE readings (at timestamptz, sensor text, PRIMARY KEY (at, sensor))")
    await db.execute("SELECT feed.attach('readings')")
    await db.execute("INSERT INTO readings SELECT now() + n * interval '1 h', 'x' FROM generate_series(1, 5) AS n")
    await conn.execute("SET timezone = 'America/Sao_Paulo'")
    assert await find_drift(conn, "readings") == []


async def test_an_empty_key_is_compared(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE named (id text PRIMARY KEY, title text)")
    await db.execute("SELECT feed.attach('named')")
    await db.execute("INSERT INTO named VALUES ('', 'Empty')")
    assert await find_drift(conn, "named") == []
    async with bypass_triggers(db):
        await db.execute("UPDATE named SET title = 'Past' WHERE id = ''")
    assert [(one.what, one.key) for one in await find_drift(conn, "named")] == [("changed", "")]


async def test_rows_committed_before_attach_are_no_finding(database: Database, db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY)")
    async with await database.connect(autocommit=False) as migration:
        await migration.execute("CREATE TABLE others ()")
        await db.execute("INSERT INTO things VALUES (1)")
        await migration.execute("SELECT feed.attach('things')")
        await migration.commit()
    assert await find_drift(conn, "things") == []
    async with bypass_triggers(db):
        await db.execute("INSERT INTO things VALUES (2)")
    assert [one.key for one in await find_drift(conn, "things")] == ["2"]


async def test_pruned_rows_written_in_a_savepoint_are_no_finding(db: Connection, conn: Plain) -> None:
    async with db.transaction():
        await db.execute("UPDATE opportunities SET title = 'Before'")
        async with db.transaction():
            await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('s', 'b1', 'In a savepoint')")
    await value(db, "SELECT feed.rotate_partition()")
    await value(db, "SELECT feed.make_partition(feed.current_partition() + 1)")
    await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('kept', 'b1', 'Kept')")
    assert (await rows(db, "SELECT * FROM feed.prune(clock_timestamp() - interval '0 s')"))[0]["forgotten"]
    assert await find_drift(conn) == []
    async with bypass_triggers(db):
        await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('past', 'b1', 'Past')")
    assert [one.key for one in await find_drift(conn)] == ["past"]


async def test_a_table_with_its_own_versions_has_no_holes(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, version_number integer, name text)")
    await db.execute("SELECT feed.attach('things')")
    await db.execute("INSERT INTO things VALUES (1, 1, 'One')")
    await db.execute("UPDATE things SET name = 'Two'")
    await db.execute("UPDATE things SET name = 'Three', version_number = 7")
    assert await find_drift(conn, "things") == []


async def test_a_not_null_domain_is_compared(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE DOMAIN word AS text NOT NULL CHECK (value <> '')")
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, secret word, name text)")
    await db.execute("SELECT feed.attach('things', exclude => '{secret}')")
    await db.execute("INSERT INTO things VALUES (1, 'hidden', 'One')")
    async with bypass_triggers(db):
        await db.execute("UPDATE things SET name = 'Past'")
    assert [one.columns for one in await find_drift(conn, "things")] == [["name"]]


async def test_verify_is_refused_if_row_security_hides_rows(db: Connection, conn: Plain) -> None:
    await db.execute("ALTER TABLE opportunities ENABLE ROW LEVEL SECURITY")
    await db.execute("CREATE POLICY own ON opportunities USING (owner_id = current_user)")
    await db.execute("SET ROLE feed_dba")
    statements: list[LiteralString] = [
        "SELECT * FROM feed.verify_log('opportunities')",
        "SELECT * FROM feed.verify_rows('opportunities', '0')",
        "SELECT * FROM feed.checkpoint('b1')",
    ]
    for statement in statements:
        assert await sqlstate_of(db, statement) == "42501", statement
    await db.execute("RESET ROLE")
    assert await find_drift(conn) == []
    assert await verify.repair(conn, await fed_table(conn), ["o1"]) == 0
