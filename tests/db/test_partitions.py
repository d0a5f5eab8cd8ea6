"""The log's partitions are created ahead of time and dropped when they are old, without an effect on readers and writers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import errors, sql

from db.changelog import retention
from db.changelog.changes import Chunk, read_changes
from db.changelog.positions import identify_feed, read_position, read_proof
from db.changelog.prefetch import prefetch_query, prefetch_result, prepare_prefetch
from db.connection import PsycopgConnection
from feed.wire.cursor import Cursor, Fault
from tests.db.support import Connection, log_rows, newest_seq, rows, sqlstate_of, value
from tests.support.database import Database
from tests.support.until import until

PARTITIONS = """
    SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'feed.log'::regclass ORDER BY c.oid
"""


async def partitions(db: Connection) -> set[str]:
    return {row["name"] for row in await rows(db, PARTITIONS)}


async def write(db: Connection, title: str) -> None:
    await db.execute("UPDATE opportunities SET title = %s WHERE id = 'o1'", (title,))


@pytest.fixture
async def reading(database: Database) -> AsyncIterator[PsycopgConnection]:
    async with await PsycopgConnection.connect(database.url, autocommit=True) as conn:
        yield conn


async def seqs_since(reading: PsycopgConnection, cursor: Cursor) -> list[Any]:
    parts = read_changes(reading, cursor.seen, threshold=5000, chunk=1000)
    return [change.seq async for part in parts for change in part.changes]


async def current_cursor(reading: PsycopgConnection) -> Cursor:
    return Cursor.at(await identify_feed(reading), await read_position(reading))


async def test_maintenance_creates_partitions_ahead_and_starts_them_on_time(
    db: Connection, reading: PsycopgConnection
) -> None:
    assert await retention.maintain(reading) is None
    await db.execute("UPDATE feed.maintenance SET rotated_at = rotated_at - interval '11 days'")
    assert await retention.maintain(reading) == "started feed.log_2"
    assert await retention.maintain(reading) == "created feed.log_3"
    assert await retention.maintain(reading) is None
    before = await newest_seq(db)
    await write(db, "B")
    assert [row["partition_number"] for row in await log_rows(db, before)] == [2]
    # An empty partition stays the current one: rotating would gain nothing.
    await db.execute("SELECT feed.rotate_partition()")
    await db.execute("UPDATE feed.maintenance SET rotated_at = rotated_at - interval '11 days'")
    assert await retention.maintain(reading) == "created feed.log_4"
    assert await retention.maintain(reading) is None


async def test_a_partition_is_dropped_when_its_newest_row_exceeds_the_retention(
    db: Connection, reading: PsycopgConnection
) -> None:
    await db.execute("UPDATE feed.log SET at = at - interval '91 days'")
    await db.execute("SELECT feed.rotate_partition()")
    await write(db, "B")
    assert await retention.maintain(reading) == "created feed.log_3"
    before = await newest_seq(db)
    # One row is recent, though the row with the highest seq is old.
    await db.execute("UPDATE feed.log SET at = now() WHERE seq = (SELECT min(seq) FROM feed.log)")
    assert await retention.maintain(reading) is None
    await db.execute("UPDATE feed.log SET at = now() - interval '91 days' WHERE partition_number = 1")
    assert (await retention.maintain(reading) or "").startswith("dropped feed.log_1 with ")
    assert [row["seq"] for row in await log_rows(db)] == [before]
    assert await value(db, "SELECT floor_seq FROM feed.identity") == before - 1
    assert await partitions(db) == {"log_2", "log_3", "log_default"}


async def test_without_a_partition_capture_uses_the_default_one(db: Connection, reading: PsycopgConnection) -> None:
    cursor = await current_cursor(reading)
    await db.execute("DROP TABLE feed.log_2")
    await db.execute("SELECT feed.rotate_partition()")
    before = await newest_seq(db)
    await write(db, "B")
    assert (
        await value(db, "SELECT tableoid::regclass::text FROM feed.log ORDER BY seq DESC LIMIT 1") == "feed.log_default"
    )
    assert await seqs_since(reading, cursor) == [before + 1]
    assert await seqs_since(reading, await current_cursor(reading)) == []
    # The next partition exists again, and the default partition is emptied when its rows are old.
    assert await retention.maintain(reading) == "created feed.log_3"
    await db.execute("SELECT feed.rotate_partition()")
    await write(db, "C")
    assert await retention.maintain(reading) == "created feed.log_4"
    future = datetime.now(UTC)
    await write(db, "D")
    await db.execute("UPDATE feed.log SET at = at + interval '1 day' WHERE partition_number = 3")
    dropped = [await retention.prune(reading, future + timedelta(hours=1)) for _ in range(3)]
    assert [each.partition for each in dropped] == ["feed.log_1", "feed.log_default", None]
    assert dropped[1].rows == 1
    assert "log_default" in await partitions(db)


async def test_transactions_across_a_rotation_are_read_once(
    db: Connection, database: Database, reading: PsycopgConnection
) -> None:
    """No cursor misses rows of transactions that overlap a rotation."""
    async with await database.connect() as early, await database.connect() as late:
        cursors = [await current_cursor(reading)]
        first = await newest_seq(db)
        async with early.transaction():
            await early.execute("INSERT INTO opportunities (id, board_id) VALUES ('e1', 'b1')")
            await write(db, "before")
            cursors.append(await current_cursor(reading))
            await db.execute("SELECT feed.rotate_partition()")
            cursors.append(await current_cursor(reading))
            await early.execute("INSERT INTO opportunities (id, board_id) VALUES ('e2', 'b1')")
            async with late.transaction():
                await late.execute("INSERT INTO opportunities (id, board_id) VALUES ('l1', 'b1')")
                await write(db, "after")
                cursors.append(await current_cursor(reading))
            cursors.append(await current_cursor(reading))
        last = await current_cursor(reading)
    xid_by_seq = {row["seq"]: row["xid"] for row in await log_rows(db, first)}
    assert {row["partition_number"] for row in await log_rows(db, first)} == {1, 2}
    for cursor in [*cursors, last]:
        assert sorted(await seqs_since(reading, cursor)) == [
            seq for seq, xid in xid_by_seq.items() if xid not in cursor.seen
        ]


async def test_a_step_that_was_overtaken_does_not_leave_the_current_partition_out(
    db: Connection, database: Database
) -> None:
    """Two services maintain the log at once. One is stopped just after it has read the partition number."""
    await db.execute(
        "UPDATE feed.maintenance SET retention = '1 microsecond', rotated_at = rotated_at - interval '1 day'"
    )
    await db.execute("ALTER FUNCTION feed.current_partition() RENAME TO partition_number_now")
    await db.execute("""
        CREATE FUNCTION feed.current_partition() RETURNS bigint LANGUAGE plpgsql STABLE SET lock_timeout = 0 AS $$
        DECLARE
            now bigint := feed.partition_number_now();
        BEGIN
            IF current_setting('application_name') = 'stopped' THEN
                PERFORM pg_advisory_xact_lock(1);
            END IF;
            RETURN now;
        END $$
    """)
    async with await database.connect(autocommit=False) as holder, await database.connect() as slow:
        await holder.execute("SELECT pg_advisory_xact_lock(1)")
        await slow.execute("SET application_name = 'stopped'")
        step = asyncio.create_task(slow.execute("SELECT feed.maintain()"))
        await until(lambda: value(db, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
        await db.execute("SELECT feed.maintain()")
        await write(db, "after the other one's step")
        await holder.commit()
        await step
    await write(db, "after both")
    assert await value(db, "SELECT count(*) FROM feed.log_default") == 0
    assert await value(db, "SELECT to_regclass('feed.log_' || feed.current_partition()) IS NOT NULL")


@pytest.mark.parametrize("prepared", [False, True])
async def test_no_partition_is_created_while_a_reader_plans_without_it(
    db: Connection, database: Database, reading: PsycopgConnection, prepared: bool
) -> None:
    """PostgreSQL reads the list of partitions before it takes the snapshot: rows written in between must not count as read."""
    await db.execute("SELECT feed.rotate_partition()")
    await prepare_prefetch(reading)
    cursor = await current_cursor(reading)
    first = await newest_seq(db)
    await write(db, "before")
    async with await database.connect(autocommit=False) as holder:
        await holder.execute("LOCK TABLE feed.log_1 IN ACCESS EXCLUSIVE MODE")
        read = asyncio.create_task(_read_by_prefetch(reading, cursor) if prepared else _first_part(reading, cursor))
        await until(lambda: value(db, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
        if await value(db, "SELECT feed.maintain()") == "created feed.log_3":
            await db.execute("SELECT feed.rotate_partition()")
        await write(db, "after")
    part = await read
    rest = await seqs_since(reading, cursor.advanced(part.snapshot or "", part.last_xid, None))
    assert [change.seq for change in part.changes] + rest == [row["seq"] for row in await log_rows(db, first)]
    assert await value(db, "SELECT feed.maintain()") == "created feed.log_3"


async def _read_by_prefetch(reading: PsycopgConnection, cursor: Cursor) -> Chunk:
    _, (xmax, xip, limit) = prefetch_query(cursor.seen, 10)
    values = sql.SQL(", ").join(sql.Literal(value.decode()) for value in (xmax, xip, limit))
    rows = await (await reading.execute(sql.SQL("EXECUTE changes_since ({})").format(values))).fetchall()
    found = prefetch_result(rows, 10)
    assert found is not None
    return found


async def _first_part(reading: PsycopgConnection, cursor: Cursor) -> Chunk:
    return await anext(aiter(read_changes(reading, cursor.seen, threshold=5000, chunk=1000)))


async def test_a_rotation_is_visible_to_an_older_snapshot(db: Connection, database: Database) -> None:
    async with await PsycopgConnection.connect(database.url) as old:
        await old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor = Cursor.at("x", await read_position(old))
        before = await newest_seq(db)
        await db.execute("SELECT feed.rotate_partition()")
        await write(db, "B")
        assert await seqs_since(old, cursor) == []
        await old.commit()
        assert await seqs_since(old, cursor) == [before + 1]


async def test_concurrent_rotations_each_start_a_partition(db: Connection, database: Database) -> None:
    async with await database.connect() as first, await database.connect() as second:
        async with db.transaction():
            await db.execute("SELECT FROM feed.maintenance FOR UPDATE")
            rotations = [asyncio.create_task(value(conn, "SELECT feed.rotate_partition()")) for conn in (first, second)]
            await until(lambda: value(db, "SELECT count(*) = 2 FROM pg_locks WHERE NOT granted"))
        assert sorted(await asyncio.gather(*rotations)) == [2, 3]


async def test_a_rotation_is_not_undone_by_a_rollback(db: Connection, reading: PsycopgConnection) -> None:
    cursor = await current_cursor(reading)
    async with db.transaction(force_rollback=True):
        await db.execute("SELECT feed.rotate_partition()")
    before = await newest_seq(db)
    await write(db, "B")
    assert [row["partition_number"] for row in await log_rows(db, before)] == [2]
    assert await seqs_since(reading, cursor) == [before + 1]


async def test_a_prune_does_not_drop_rows_under_a_reader(
    db: Connection, database: Database, reading: PsycopgConnection
) -> None:
    """A reading transaction keeps its rows; the log is pruned after it has ended."""
    cursor = await current_cursor(reading)
    await write(db, "B")
    before = await newest_seq(db)
    future = datetime.now(UTC) + timedelta(days=1)
    async with await PsycopgConnection.connect(database.url) as slow:
        await slow.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert cursor.fault(await read_proof(slow, cursor.anchor)) is None
        assert await retention.prune(reading, future) == (None, 0)
        await asyncio.wait_for(write(db, "C"), 10)
        assert await seqs_since(slow, cursor) == [before]
    dropped = await retention.prune(reading, future)
    assert (dropped.partition, dropped.rows) == ("feed.log_1", before)
    assert cursor.fault(await read_proof(reading, cursor.anchor)) is Fault.PRUNED


async def test_a_prune_that_must_create_a_partition_gives_way_to_readers(
    db: Connection, database: Database, reading: PsycopgConnection
) -> None:
    """It takes its locks in the same order as readers. If it gives up, nothing is dropped and it can be called again."""
    await write(db, "B")
    await db.execute("SELECT feed.rotate_partition()")
    await write(db, "C")
    async with await database.connect(autocommit=False) as reader:
        await reader.execute("SELECT FROM feed.identity")
        dropped = await retention.prune(reading, datetime.now(UTC))
        assert (dropped.partition, dropped.rows) == (None, 0)
        await reader.execute("SELECT FROM feed.log")
    dropped = await retention.prune(reading, datetime.now(UTC))
    assert dropped.partition == "feed.log_1"
    assert "log_3" in await partitions(db)


async def test_a_prune_does_not_drop_uncommitted_rows(db: Connection, database: Database) -> None:
    future = datetime.now(UTC) + timedelta(days=1)
    async with (
        await database.connect() as slow,
        await PsycopgConnection.connect(database.url, autocommit=True) as reading,
        slow.transaction(),
    ):
        await slow.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b1')")
        assert await retention.prune(reading, future) == (None, 0)
        await asyncio.wait_for(write(db, "B"), 10)
    assert "late" in [row["key"] for row in await log_rows(db)]


async def test_a_row_committed_while_a_prune_waits_is_not_lost_unnoticed(
    db: Connection, database: Database, reading: PsycopgConnection
) -> None:
    """Its seq is below and its xid above those that the prune counted, so a cursor could not notice the loss."""
    await db.execute("ALTER FUNCTION feed.prune(timestamptz) SET lock_timeout = '30s'")
    future = datetime.now(UTC) + timedelta(days=1)
    async with (
        await database.connect() as early,
        await database.connect() as late,
        await PsycopgConnection.connect(database.url, autocommit=True) as pruning,
    ):
        async with late.transaction():
            async with early.transaction():
                await early.execute("SELECT pg_current_xact_id()")
                await late.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b1')")
                await early.execute("INSERT INTO opportunities (id, board_id) VALUES ('early', 'b1')")
            await db.execute("SELECT feed.rotate_partition()")
            await write(db, "B")
            cursor = await current_cursor(reading)
            pruned = asyncio.create_task(retention.prune(pruning, future))

            async def waits() -> bool:
                waiting = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
                return bool(await value(db, waiting, (pruning.info.backend_pid,)))

            await until(waits, what="the prune to wait for its lock")
        dropped = await asyncio.wait_for(pruned, 30)
    fault = cursor.fault(await read_proof(reading, cursor.anchor))
    read = await seqs_since(reading, cursor)
    assert (fault, len(read)) == (None, 1) if dropped.partition is None else (fault, read) == (Fault.PRUNED, []), (
        dropped
    )
    assert (await retention.prune(reading, future)).partition == "feed.log_1"
    assert cursor.fault(await read_proof(reading, cursor.anchor)) is Fault.PRUNED


async def test_prune_requires_read_committed(db: Connection) -> None:
    async with db.transaction():
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert await sqlstate_of(db, "SELECT feed.prune(now())") == "25001"


async def test_maintenance_runs_once_at_a_time(db: Connection, database: Database, reading: PsycopgConnection) -> None:
    await db.execute("UPDATE feed.maintenance SET rotated_at = rotated_at - interval '11 days'")
    async with await database.connect() as other, other.transaction():
        await other.execute("SELECT FROM feed.maintenance FOR UPDATE")
        assert await retention.maintain(reading) is None
        assert await retention.prune(reading, datetime.now(UTC)) == (None, 0)
    assert await retention.maintain(reading) == "started feed.log_2"


async def test_a_log_restored_into_a_cluster_with_lower_xids(db: Connection, reading: PsycopgConnection) -> None:
    """A dump restored into a cluster whose xids are lower than those in the log: its rows are history, and the feed works."""
    await write(db, "B")
    await db.execute("UPDATE feed.log SET xid = (xid::text::bigint + 1000000000)::text::xid8")
    await db.execute("UPDATE feed.identity SET system_identifier = 'another', floor_xid = '1000000500'")
    cursor = await current_cursor(reading)
    assert cursor.fault(await read_proof(reading, cursor.anchor)) is None
    assert await seqs_since(reading, cursor) == []
    before = await newest_seq(db)
    await write(db, "C")
    assert await seqs_since(reading, cursor) == [before + 1]
    after = await current_cursor(reading)
    assert await seqs_since(reading, after) == []
    assert (after.anchor, after.fault(await read_proof(reading, after.anchor))) == (before + 1, None)
    # And its old partition can be dropped.
    await db.execute("UPDATE feed.log SET at = at - interval '91 days' WHERE partition_number = 1")
    dropped = await retention.prune(reading, datetime.now(UTC) - timedelta(days=90))
    assert dropped.partition == "feed.log_1"
    assert after.fault(await read_proof(reading, after.anchor)) is None


async def test_a_partition_of_the_log_cannot_be_attached(db: Connection) -> None:
    with pytest.raises(errors.InvalidTableDefinition, match="itself"):
        await db.execute("SELECT feed.attach('feed.log_1', key => 'seq,partition_number')")
