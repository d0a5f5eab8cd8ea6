"""What is right is never found, whoever asks for it and however it was written."""

from typing import LiteralString

from db.changelog import verify
from tests.db.support import Connection, refusal, rows, value
from tests.db.verifying import Plain, found, past_the_triggers, table
from tests.support.database import Database


async def test_a_key_with_a_time_is_the_same_in_every_time_zone(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE readings (at timestamptz, sensor text, PRIMARY KEY (at, sensor))")
    await db.execute("SELECT feed.attach('readings')")
    await db.execute("INSERT INTO readings SELECT now() + n * interval '1 h', 'x' FROM generate_series(1, 5) AS n")
    await conn.execute("SET timezone = 'America/Sao_Paulo'")
    assert await found(conn, "readings") == []


async def test_a_key_that_is_empty_is_compared_too(db: Connection, conn: Plain) -> None:
    await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('', 'b1', 'Empty')")
    assert await found(conn) == []
    async with past_the_triggers(db):
        await db.execute("UPDATE opportunities SET title = 'Past' WHERE id = ''")
    assert [(one.what, one.key) for one in await found(conn)] == [("changed", "")]


async def test_what_was_written_until_the_feed_was_there_is_older(
    database: Database, db: Connection, conn: Plain
) -> None:
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY)")
    async with await database.connect(autocommit=False) as migration:
        await migration.execute("CREATE TABLE others ()")
        await db.execute("INSERT INTO things VALUES (1)")
        await migration.execute("SELECT feed.attach('things')")
        await migration.commit()
    assert await found(conn, "things") == []
    async with past_the_triggers(db):
        await db.execute("INSERT INTO things VALUES (2)")
    assert [one.key for one in await found(conn, "things")] == ["2"]


async def test_what_was_pruned_is_older_though_a_savepoint_wrote_it(db: Connection, conn: Plain) -> None:
    async with db.transaction():
        await db.execute("UPDATE opportunities SET title = 'Before'")
        async with db.transaction():
            await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('s', 'b1', 'In a savepoint')")
    await value(db, "SELECT feed.rotate_partition()")
    await value(db, "SELECT feed.make_partition(feed.current_partition() + 1)")
    await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('kept', 'b1', 'Kept')")
    assert (await rows(db, "SELECT * FROM feed.prune(clock_timestamp() - interval '0 s')"))[0]["forgotten"]
    assert await found(conn) == []
    async with past_the_triggers(db):
        await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('past', 'b1', 'Past')")
    assert [one.key for one in await found(conn)] == ["past"]


async def test_a_table_with_versions_of_its_own_has_no_holes(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, version_number integer, name text)")
    await db.execute("SELECT feed.attach('things')")
    await db.execute("INSERT INTO things VALUES (1, 1, 'One')")
    await db.execute("UPDATE things SET name = 'Two'")
    await db.execute("UPDATE things SET name = 'Three', version_number = 7")
    assert await found(conn, "things") == []


async def test_a_domain_that_has_no_nulls_is_compared(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE DOMAIN word AS text NOT NULL CHECK (value <> '')")
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, secret word, name text)")
    await db.execute("SELECT feed.attach('things', exclude => '{secret}')")
    await db.execute("INSERT INTO things VALUES (1, 'hidden', 'One')")
    async with past_the_triggers(db):
        await db.execute("UPDATE things SET name = 'Past'")
    assert [one.columns for one in await found(conn, "things")] == [["name"]]


async def test_whoever_may_not_see_all_rows_is_told_so(db: Connection, conn: Plain) -> None:
    await db.execute("ALTER TABLE opportunities ENABLE ROW LEVEL SECURITY")
    await db.execute("CREATE POLICY own ON opportunities USING (owner_id = current_user)")
    await db.execute("SET ROLE feed_dba")
    statements: list[LiteralString] = [
        "SELECT * FROM feed.verify_log('opportunities')",
        "SELECT * FROM feed.verify_rows('opportunities', '0')",
        "SELECT * FROM feed.checkpoint('b1')",
    ]
    for statement in statements:
        assert await refusal(db, statement) == "42501", statement
    await db.execute("RESET ROLE")
    assert await found(conn) == []
    assert await verify.repair(conn, await table(conn), ["o1"]) == 0
