"""Verify finds every write that bypassed the triggers, repair fixes it, and correct rows are never reported."""

import asyncio
from typing import LiteralString

import pytest

from db.changelog import verify
from db.changelog.verify import Finding
from tests.db.support import Connection, logged_changes, newest_seq, rows, sqlstate_of
from tests.db.verifying import Plain, bypass_triggers, fed_table, find_drift
from tests.support.database import Database
from tests.support.until import until

# Writes that bypass the triggers on card o1 of board b1 (row 3 of the log), the finding, and what a repair logs.
BYPASSES: dict[str, tuple[LiteralString, Finding, list[tuple[str, str | None, str | None]]]] = {
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


@pytest.mark.any_version
@pytest.mark.parametrize(("statement", "finding", "repaired"), BYPASSES.values(), ids=BYPASSES.keys())
async def test_writes_that_bypass_the_triggers_are_found_and_repaired(
    db: Connection, conn: Plain, statement: LiteralString, finding: Finding, repaired: list[tuple[str, str, str]]
) -> None:
    assert await find_drift(conn) == []
    async with bypass_triggers(db):
        await db.execute(statement)
    before = await newest_seq(db)
    assert await find_drift(conn) == [finding]
    assert await verify.repair(conn, await fed_table(conn), [finding.key]) == len(
        [op for op, *_ in repaired if op != "reload"]
    )
    assert await logged_changes(db, before) == repaired
    assert {row["origin"] for row in await rows(db, "SELECT origin FROM feed.log WHERE seq > %s", (before,))} == {
        "repair"
    }
    assert await find_drift(conn) == []
    assert await verify.repair(conn, await fed_table(conn), [finding.key]) == 0, "nothing is left to repair"


async def test_a_row_reinserted_without_the_log_is_found(db: Connection, conn: Plain) -> None:
    await db.execute("DELETE FROM opportunities WHERE id = 'o1'")
    async with bypass_triggers(db):
        await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o1', 'b1', 'Back')")
    assert await find_drift(conn) == [Finding("back", "o1", 4, 1, 1, None)]
    assert await verify.repair(conn, await fed_table(conn), ["o1"]) == 1
    assert await find_drift(conn) == []


async def test_unlogged_versions_are_reported_as_a_hole(db: Connection, conn: Plain) -> None:
    async with bypass_triggers(db):
        await db.execute("UPDATE opportunities SET title = 'Lost', version_number = 4")
    await db.execute("UPDATE opportunities SET title = 'Known'")
    (hole,) = await find_drift(conn)
    assert hole == Finding("hole", "o1", 4, 1, 5, ["title", "version_number"])
    assert not hole.repairable


async def test_a_repair_leaves_no_hole(db: Connection, conn: Plain) -> None:
    async with bypass_triggers(db):
        await db.execute("UPDATE opportunities SET title = 'Past', version_number = 4")
    await verify.repair(conn, await fed_table(conn), ["o1"])
    await db.execute("UPDATE opportunities SET title = 'Known'")
    assert await find_drift(conn) == []


async def test_a_logged_truncate_is_no_finding(db: Connection, conn: Plain) -> None:
    await db.execute("TRUNCATE opportunities")
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b1')")
    assert await find_drift(conn) == []


async def test_rows_from_before_the_feed_are_no_finding(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, name text)")
    await db.execute("INSERT INTO things SELECT n, 'Thing' FROM generate_series(1, 5) AS n")
    await db.execute("SELECT feed.attach('things')")
    await db.execute("INSERT INTO things VALUES (6, 'Logged')")
    parts = [part async for part in verify.verify(conn, await fed_table(conn, "things"), part=2)]
    assert [part.findings for part in parts if part.findings] == []
    assert sum(part.older for part in parts) == 5
    assert sum(part.read for part in parts if part.of == "rows") == 6
    async with bypass_triggers(db):
        await db.execute("UPDATE things SET name = 'Past' WHERE id = 3")
    assert await find_drift(conn, "things") == [Finding("uncertain", "3", None, None, None, None)]
    await db.execute("SELECT feed.attach('things')")
    assert len(await find_drift(conn, "things")) == 1, "attaching again keeps the original time of attachment"


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


async def test_session_settings_of_the_writer_make_no_difference(db: Connection, conn: Plain) -> None:
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
    assert await find_drift(conn, "things") == []
    async with bypass_triggers(db):
        await db.execute("UPDATE things SET c3 = '2 days' WHERE id = 1")
    assert [one.columns for one in await find_drift(conn, "things")] == [["c3"]]


async def test_added_and_dropped_columns_make_no_difference(db: Connection, conn: Plain) -> None:
    await db.execute("ALTER TABLE opportunities ADD COLUMN region text DEFAULT 'South', DROP COLUMN contact")
    assert await find_drift(conn) == []


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
    assert await find_drift(conn, name) == []
    async with bypass_triggers(db):
        await db.execute('UPDATE "My crm"."The ""Things" SET name = \'Past\' WHERE d = 2')
        await db.execute('DELETE FROM "My crm"."The ""Things" WHERE d = 3')
        await db.execute("INSERT INTO \"My crm\".\"The \"\"Things\" VALUES ('2026-02-01', 'new', 9, 'N')")
    findings = await find_drift(conn, name)
    assert [one.what for one in findings] == ["changed", "gone", "unlogged"]
    assert await verify.repair(conn, await fed_table(conn, name), [one.key for one in findings]) == 3
    assert await find_drift(conn, name) == []


async def test_excluded_columns_are_neither_compared_nor_logged(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, name text, secret text)")
    await db.execute("SELECT feed.attach('things', exclude => '{secret}')")
    await db.execute("INSERT INTO things VALUES (1, 'One', 'hidden')")
    async with bypass_triggers(db):
        await db.execute("UPDATE things SET secret = 'hidden, too'")
    assert await find_drift(conn, "things") == []
    async with bypass_triggers(db):
        await db.execute("UPDATE things SET name = 'Other'")
    assert [one.columns for one in await find_drift(conn, "things")] == [["name"]]
    await verify.repair(conn, await fed_table(conn, "things"), ["1"])
    assert not await rows(
        db, "SELECT 1 FROM feed.log WHERE coalesce(new, '{}') ? 'secret' OR coalesce(old, '{}') ? 'secret'"
    )
    assert await find_drift(conn, "things") == []


async def test_disabled_triggers_are_reported(db: Connection, conn: Plain) -> None:
    await db.execute("ALTER TABLE opportunities DISABLE TRIGGER feed_capture_update")
    await db.execute("ALTER TABLE opportunities ENABLE REPLICA TRIGGER zz_feed_version")
    assert (await fed_table(conn)).faults == ["feed_capture_update is disabled", "zz_feed_version is replica"]
    assert (await fed_table(conn, "feed.boards")).faults == []


@pytest.mark.any_version
async def test_concurrent_writes_are_no_finding(database: Database, db: Connection, conn: Plain) -> None:
    await db.execute("INSERT INTO opportunities (id, board_id) SELECT 'k' || n, 'b1' FROM generate_series(1, 50) AS n")
    stop = asyncio.Event()

    async def write(number: int) -> int:
        async with await database.connect() as writer:
            count = 0
            while not stop.is_set():
                count += 1
                key = f"k{(count * 7 + number) % 50 + 1}"
                await writer.execute("UPDATE opportunities SET company = %s WHERE id = %s", (f"{number}.{count}", key))
                await writer.execute(
                    "INSERT INTO opportunities (id, board_id) VALUES (%s, 'b1')", (f"x{number}.{count}",)
                )
                await writer.execute("DELETE FROM opportunities WHERE id = %s", (f"x{number}.{count - 1}",))
            return count

    writers = [asyncio.create_task(write(number)) for number in range(3)]
    try:
        for _ in range(10):
            assert await find_drift(conn, part=40) == []
    finally:
        stop.set()
        write_counts = await asyncio.gather(*writers)
    assert min(write_counts) > 5


@pytest.mark.any_version
async def test_a_repair_waits_for_concurrent_writes_and_sees_them(
    database: Database, db: Connection, conn: Plain
) -> None:
    async with bypass_triggers(db):
        await db.execute("DELETE FROM opportunities WHERE id = 'o1'")
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o1', 'b2', 'Again')")
        repairing = asyncio.create_task(verify.repair(conn, await fed_table(conn), ["o1"]))

        async def repair_waits() -> bool:
            return bool(await rows(db, "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock'"))

        await until(repair_waits, timeout=10, what="the repair to wait")
        await writer.commit()
    assert await repairing == 0
    assert [one.what for one in await find_drift(conn)] == ["hole"], "the deletion is not in the log"


async def test_a_repair_requires_read_committed_and_an_attached_table(db: Connection) -> None:
    async with db.transaction(force_rollback=True):
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert await sqlstate_of(db, "SELECT feed.repair('opportunities', '{o1}')") == "25001"
    assert await sqlstate_of(db, "SELECT feed.repair('users', '{ana}')") == "55000"
