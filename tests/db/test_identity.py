"""The feed ID changes when the log's history changes, and pruning is recorded."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import pytest

from db.changelog.changes import read_changes
from db.changelog.positions import identify_feed, read_position, read_proof
from db.connection import PsycopgConnection
from feed.wire.cursor import Cursor, Fault
from tests.db.support import Connection, log_rows, newest_seq, rows, value
from tests.support.database import Database

pytestmark = pytest.mark.any_version

IDENTITY = "SELECT feed_id, system_identifier, timeline, reason FROM feed.identity"


async def test_the_feed_id_is_stable(db: Connection) -> None:
    (before,) = await rows(db, IDENTITY)
    assert before["reason"] == "install"
    assert [await value(db, "SELECT feed.identify()") for _ in range(3)] == [before["feed_id"]] * 3
    assert await rows(db, IDENTITY) == [before]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE feed.identity SET system_identifier = '1'", "another cluster"),
        ("UPDATE feed.identity SET timeline = '0000000A'", "promotion"),
    ],
)
async def test_another_cluster_or_timeline_gets_a_new_feed_id(
    db: Connection, statement: LiteralString, reason: str
) -> None:
    (before,) = await rows(db, IDENTITY)
    await db.execute(statement)
    found = await value(db, "SELECT feed.identify()")
    assert found != before["feed_id"]
    assert await rows(db, IDENTITY) == [{**before, "feed_id": found, "reason": reason}]


async def test_concurrent_renewals_agree_on_the_feed_id(db: Connection, database: Database) -> None:
    await db.execute("UPDATE feed.identity SET timeline = '0000000A'")
    async with await database.connect() as one, await database.connect() as two:
        async with one.transaction():
            first = await value(one, "SELECT feed.identify()")
            waiting = asyncio.create_task(value(two, "SELECT feed.identify()"))
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'identify'"
            async with asyncio.timeout(10):
                while await value(db, blocked) != 1:
                    assert not waiting.done()
        assert await waiting == first
    assert await value(db, "SELECT feed.identify()") == first


async def test_reset_feed_sets_a_new_feed_id(db: Connection) -> None:
    before = await value(db, "SELECT feed.identify()")
    found = await value(db, "SELECT feed.reset_feed('a copied directory')")
    assert found != before
    assert await value(db, "SELECT feed.identify()") == found
    assert await value(db, "SELECT reason FROM feed.identity") == "a copied directory"


async def test_a_cursor_from_before_a_prune_has_the_fault_pruned(db: Connection, database: Database) -> None:
    async with await PsycopgConnection.connect(database.url, autocommit=True) as reading:
        feed = await identify_feed(reading)

        async def current_cursor() -> Cursor:
            return Cursor.at(feed, await read_position(reading))

        async def fault(cursor: Cursor) -> Fault | None:
            return cursor.fault(await read_proof(reading, cursor.anchor))

        old = await current_cursor()
        await db.execute("UPDATE opportunities SET title = 'B'")
        kept = await current_cursor()
        await db.execute("SELECT feed.rotate_partition()")
        limit = datetime.now(UTC)
        await db.execute("UPDATE opportunities SET title = 'C'")
        new = await current_cursor()
        kept_seqs = [row["seq"] for row in await log_rows(db, kept.anchor)]
        assert await value(db, "SELECT forgotten FROM feed.prune(%s)", (limit,)) > 0
        assert [row["seq"] for row in await log_rows(db)] == kept_seqs
        # `kept` has missed nothing, but the row that proves it was pruned.
        assert [await fault(cursor) for cursor in (old, kept, new)] == [Fault.PRUNED, Fault.PRUNED, None]


async def test_pruning_leaves_the_newest_row(db: Connection) -> None:
    newest = await newest_seq(db)
    future = datetime.now(UTC) + timedelta(days=1)
    assert await value(db, "SELECT forgotten FROM feed.prune(%s)", (future,)) == newest - 1
    assert [row["seq"] for row in await log_rows(db)] == [newest]
    assert await value(db, "SELECT forgotten FROM feed.prune(%s)", (future,)) is None
    assert await value(db, "SELECT floor_seq FROM feed.identity") == newest - 1


async def test_a_prune_without_old_rows_changes_nothing(db: Connection) -> None:
    before = await log_rows(db)
    assert await value(db, "SELECT forgotten FROM feed.prune('2000-01-01')") is None
    assert await log_rows(db) == before
    await db.execute("TRUNCATE feed.log")
    assert await value(db, "SELECT forgotten FROM feed.prune(now())") is None


async def test_an_uncommitted_row_is_not_pruned_unnoticed(db: Connection, database: Database) -> None:
    """The floor is a seq, and an uncommitted row may have a seq below it."""
    async with (
        await database.connect() as slow,
        await PsycopgConnection.connect(database.url, autocommit=True) as reading,
    ):
        feed = await identify_feed(reading)
        async with slow.transaction():
            await slow.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b1')")
            await db.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o1'")
            cursor = Cursor.at(feed, await read_position(reading))
            await db.execute("UPDATE opportunities SET title = 'C' WHERE id = 'o1'")
            await db.execute("SELECT feed.prune(now() + interval '1 day')")
        # `late` has a seq below the floor: either it can still be read, or the cursor is reported as pruned.
        fault = cursor.fault(await read_proof(reading, cursor.anchor))
        parts = read_changes(reading, cursor.seen, threshold=10, chunk=10)
        keys = [change.key async for part in parts for change in part.changes]
    assert fault is Fault.PRUNED or "late" in keys
