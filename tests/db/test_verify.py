"""Each way past the triggers is found, named and repaired; what is right is never found."""

import asyncio
from typing import LiteralString

import pytest

from db.changelog import verify
from db.changelog.verify import Finding
from tests.db.support import Connection, mark, refusal, rows, told
from tests.db.verifying import Plain, found, past_the_triggers, table
from tests.support.database import Database
from tests.support.until import until

# What is written past the triggers to card o1 of board b1 (row 3 of the log): what is found, and what a repair then logs.
PAST: dict[str, tuple[LiteralString, Finding, list[tuple[str, str | None, str | None]]]] = {
    "a column": (
        "UPDATE opportunities SET title = 'Other' WHERE id = 'o1'",
        Finding("changed", "o1", 3, 1, 1, ["title"]),
        [("update", "o1", "b1"), ("reload", None, None)],
    ),
    "a column, with a version": (
        "UPDATE opportunities SET title = 'Other', version_number = 2 WHERE id = 'o1'",
        Finding("changed", "o1", 3, 1, 2, ["title", "version_number"]),
        [("update", "o1", "b1")],
    ),
    "an older version": (
        "UPDATE opportunities SET version_number = 0 WHERE id = 'o1'",
        Finding("changed", "o1", 3, 1, 0, ["version_number"]),
        [("update", "o1", "b1"), ("reload", None, None)],
    ),
    "another board": (
        "UPDATE opportunities SET board_id = 'b2', version_number = 2 WHERE id = 'o1'",
        Finding("changed", "o1", 3, 1, 2, ["board_id", "version_number"]),
        [("leave", "o1", "b1"), ("enter", "o1", "b2")],
    ),
    "deleted": (
        "DELETE FROM opportunities WHERE id = 'o1'",
        Finding("gone", "o1", 3, 1, None, None),
        [("delete", "o1", "b1")],
    ),
    "emptied": (
        "TRUNCATE opportunities",
        Finding("gone", "o1", 3, 1, None, None),
        [("delete", "o1", "b1")],
    ),
    "inserted": (
        "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('new', 'b1', 'New', 'new')",
        Finding("unlogged", "new", None, None, 1, None),
        [("insert", "new", "b1")],
    ),
}


@pytest.mark.parametrize(("statement", "finding", "repaired"), PAST.values(), ids=PAST.keys())
async def test_what_went_past_the_triggers_is_found_and_repaired(
    db: Connection, conn: Plain, statement: LiteralString, finding: Finding, repaired: list[tuple[str, str, str]]
) -> None:
    assert await found(conn) == []
    async with past_the_triggers(db):
        await db.execute(statement)
    before = await mark(db)
    assert await found(conn) == [finding]
    assert await verify.repair(conn, await table(conn), [finding.key]) == len(
        [op for op, *_ in repaired if op != "reload"]
    )
    assert await told(db, before) == repaired
    assert {row["origin"] for row in await rows(db, "SELECT origin FROM feed.log WHERE seq > %s", (before,))} == {
        "repair"
    }
    assert await found(conn) == []
    assert await verify.repair(conn, await table(conn), [finding.key]) == 0, "there is nothing left to repair"


async def test_a_row_that_came_back_is_found(db: Connection, conn: Plain) -> None:
    await db.execute("DELETE FROM opportunities WHERE id = 'o1'")
    async with past_the_triggers(db):
        await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o1', 'b1', 'Back')")
    assert await found(conn) == [Finding("back", "o1", 4, 1, 1, None)]
    assert await verify.repair(conn, await table(conn), ["o1"]) == 1
    assert await found(conn) == []


async def test_versions_that_were_never_logged_are_a_hole(db: Connection, conn: Plain) -> None:
    async with past_the_triggers(db):
        await db.execute("UPDATE opportunities SET title = 'Lost', version_number = 4")
    await db.execute("UPDATE opportunities SET title = 'Known'")
    (hole,) = await found(conn)
    assert hole == Finding("hole", "o1", 4, 1, 5, None)
    assert not hole.repairable


async def test_a_repair_is_no_hole(db: Connection, conn: Plain) -> None:
    async with past_the_triggers(db):
        await db.execute("UPDATE opportunities SET title = 'Past', version_number = 4")
    await verify.repair(conn, await table(conn), ["o1"])
    await db.execute("UPDATE opportunities SET title = 'Known'")
    assert await found(conn) == []


async def test_after_a_truncate_that_was_logged_nothing_is_missing(db: Connection, conn: Plain) -> None:
    await db.execute("TRUNCATE opportunities")
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b1')")
    assert await found(conn) == []


async def test_rows_from_before_the_feed_are_no_finding(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, name text)")
    await db.execute("INSERT INTO things SELECT n, 'Thing' FROM generate_series(1, 5) AS n")
    await db.execute("SELECT feed.attach('things')")
    await db.execute("INSERT INTO things VALUES (6, 'Logged')")
    parts = [part async for part in verify.verify(conn, await table(conn, "things"), part=2)]
    assert [part.findings for part in parts if part.findings] == []
    assert sum(part.older for part in parts) == 5
    assert sum(part.read for part in parts if part.of == "rows") == 6
    async with past_the_triggers(db):
        await db.execute("UPDATE things SET name = 'Past' WHERE id = 3")
    assert await found(conn, "things") == [Finding("unlogged", "3", None, None, None, None)]
    await db.execute("SELECT feed.attach('things')")
    assert len(await found(conn, "things")) == 1, "attached anew it is fed since when it was"


TYPES = {
    "timestamptz": "now()",
    "timestamp": "now()",
    "date": "now()",
    "interval": "'1 day 02:03:04'",
    "float8": "0.1::float8 + 0.2",
    "float4": "1::float4 / 3",
    "numeric(10,3)": "1.5",
    "bytea": "'\\x00ff'",
    "json": '\'{"b": 1, "a" : [1]}\'',
    "jsonb": "'{\"a\": null}'",
    "text[]": "'{a,NULL,\"b c\"}'",
    "tstzrange": "tstzrange(now(), NULL)",
    "uuid": "gen_random_uuid()",
    "inet": "'10.0.0.1/8'",
    "char(5)": "'ab'",
    "bit varying": "B'101'",
    "money": "12.3::money",
}


async def test_how_a_writer_s_session_writes_values_is_no_difference(db: Connection, conn: Plain) -> None:
    columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(TYPES))
    generated = "twice integer GENERATED ALWAYS AS (id * 2) STORED"
    await db.execute(f"CREATE TABLE things (id integer PRIMARY KEY, {columns}, {generated})".encode())
    await db.execute("SELECT feed.attach('things')")
    await db.execute(
        "SET timezone = 'Asia/Tokyo'; SET datestyle = 'SQL, MDY'; SET intervalstyle = 'iso_8601'; "
        "SET bytea_output = 'escape'"
    )
    await db.execute(f"INSERT INTO things VALUES (1, {', '.join(TYPES.values())})".encode())  # noqa: S608 - the table above
    await db.execute("INSERT INTO things (id) VALUES (2)")
    assert await found(conn, "things") == []
    async with past_the_triggers(db):
        await db.execute("UPDATE things SET c3 = '2 days' WHERE id = 1")
    assert [one.columns for one in await found(conn, "things")] == [["c3"]]


async def test_a_column_that_came_or_went_is_no_difference(db: Connection, conn: Plain) -> None:
    await db.execute("ALTER TABLE opportunities ADD COLUMN region text DEFAULT 'South', DROP COLUMN contact")
    assert await found(conn) == []


async def test_keys_of_several_columns_and_names_that_need_quotes(db: Connection, conn: Plain) -> None:
    await db.execute('CREATE SCHEMA "My crm"')
    await db.execute(
        'CREATE TABLE "My crm"."The ""Things" (a date, "b, c" text, d integer, name text, PRIMARY KEY (a, "b, c", d))'
    )
    await db.execute('SELECT feed.attach(\'"My crm"."The ""Things"\')')
    await db.execute(
        'INSERT INTO "My crm"."The ""Things" '
        "SELECT date '2026-01-01' + n, 'x, \"y' || n, n, 'N' FROM generate_series(1, 5) AS n"
    )
    name = '"My crm"."The ""Things"'
    assert await found(conn, name) == []
    async with past_the_triggers(db):
        await db.execute('UPDATE "My crm"."The ""Things" SET name = \'Past\' WHERE d = 2')
        await db.execute('DELETE FROM "My crm"."The ""Things" WHERE d = 3')
        await db.execute("INSERT INTO \"My crm\".\"The \"\"Things\" VALUES ('2026-02-01', 'new', 9, 'N')")
    findings = await found(conn, name)
    assert [one.what for one in findings] == ["changed", "gone", "unlogged"]
    assert await verify.repair(conn, await table(conn, name), [one.key for one in findings]) == 3
    assert await found(conn, name) == []


async def test_columns_that_are_excluded_of_the_log_stay_out(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, name text, secret text)")
    await db.execute("SELECT feed.attach('things', exclude => '{secret}')")
    await db.execute("INSERT INTO things VALUES (1, 'One', 'hidden')")
    async with past_the_triggers(db):
        await db.execute("UPDATE things SET secret = 'hidden, too'")
    assert await found(conn, "things") == []
    async with past_the_triggers(db):
        await db.execute("UPDATE things SET name = 'Other'")
    assert [one.columns for one in await found(conn, "things")] == [["name"]]
    await verify.repair(conn, await table(conn, "things"), ["1"])
    assert not await rows(
        db, "SELECT 1 FROM feed.log WHERE coalesce(new, '{}') ? 'secret' OR coalesce(old, '{}') ? 'secret'"
    )
    assert await found(conn, "things") == []


async def test_triggers_that_are_off_are_told(db: Connection, conn: Plain) -> None:
    await db.execute("ALTER TABLE opportunities DISABLE TRIGGER feed_capture_update")
    await db.execute("ALTER TABLE opportunities ENABLE REPLICA TRIGGER zz_feed_version")
    assert (await table(conn)).faults == ["feed_capture_update is disabled", "zz_feed_version is replica"]
    assert (await table(conn, "boards")).faults == []


async def test_what_is_written_meanwhile_is_never_a_finding(database: Database, db: Connection, conn: Plain) -> None:
    await db.execute("INSERT INTO opportunities (id, board_id) SELECT 'k' || n, 'b1' FROM generate_series(1, 50) AS n")
    stop = asyncio.Event()

    async def write(number: int) -> int:
        async with await database.connect() as writer:
            turn = 0
            while not stop.is_set():
                turn += 1
                key = f"k{(turn * 7 + number) % 50 + 1}"
                await writer.execute("UPDATE opportunities SET company = %s WHERE id = %s", (f"{number}.{turn}", key))
                await writer.execute(
                    "INSERT INTO opportunities (id, board_id) VALUES (%s, 'b1')", (f"x{number}.{turn}",)
                )
                await writer.execute("DELETE FROM opportunities WHERE id = %s", (f"x{number}.{turn - 1}",))
            return turn

    writers = [asyncio.create_task(write(number)) for number in range(3)]
    try:
        for _ in range(10):
            assert await found(conn, part=40) == []
    finally:
        stop.set()
        turns = await asyncio.gather(*writers)
    assert min(turns) > 5


async def test_a_repair_waits_for_who_writes_and_then_sees_it(database: Database, db: Connection, conn: Plain) -> None:
    async with past_the_triggers(db):
        await db.execute("DELETE FROM opportunities WHERE id = 'o1'")
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o1', 'b2', 'Anew')")
        repairing = asyncio.create_task(verify.repair(conn, await table(conn), ["o1"]))

        async def waits() -> bool:
            return bool(await rows(db, "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock'"))

        await until(waits, timeout=10, what="the repair to wait")
        await writer.commit()
    assert await repairing == 0
    assert await found(conn) == []


async def test_a_repair_asks_for_read_committed_and_a_fed_table(db: Connection) -> None:
    async with db.transaction(force_rollback=True):
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert await refusal(db, "SELECT feed.repair('opportunities', '{o1}')") == "25001"
    assert await refusal(db, "SELECT feed.repair('users', '{ana}')") == "55000"
