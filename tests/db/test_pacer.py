"""The pacer's lease: one instance holds it, and only that instance can suppress NOTIFY."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from db import pacer
from db.connection import PsycopgConnection as Plain
from feed.system.database import connect
from tests.db.support import Connection, rows
from tests.support.database import Database
from tests.support.pacer import pacer_lease
from tests.support.until import until

pytestmark = pytest.mark.any_version

AHEAD = 400


@pytest.fixture
async def two(database: Database) -> AsyncIterator[tuple[Plain, Plain]]:
    async with AsyncExitStack() as stack:
        conns = [await stack.enter_async_context(await connect(database.url, "boardcast-pacer")) for _ in range(2)]
        for conn in conns:
            await pacer.prepare(conn)
        yield conns[0], conns[1]


async def is_lock_awaited(database: Database) -> bool:
    """Return whether a statement waits for the row of the lease."""
    (row,) = await database.execute(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(row["n"])


async def notified(db: Connection) -> bool:
    await db.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
    row = await (await db.execute("SELECT notified FROM feed.log ORDER BY seq DESC LIMIT 1")).fetchone()
    assert row is not None
    return bool(row["notified"])


async def test_of_concurrent_claims_one_gets_the_lease(db: Connection, database: Database) -> None:
    async with AsyncExitStack() as stack:
        conns = [await stack.enter_async_context(await connect(database.url, "x")) for _ in range(16)]
        for conn in conns:
            await pacer.prepare(conn)
        results = await asyncio.gather(*(pacer.claim(conn, str(n)) for n, conn in enumerate(conns)))
    assert sum(results) == 1
    assert (await pacer_lease(database))["instance"] == str(results.index(True))


async def test_writers_skip_notify_while_it_is_suppressed(
    db: Connection, database: Database, two: tuple[Plain, Plain]
) -> None:
    holder, _ = two
    assert await notified(db)
    assert await pacer.claim(holder, "a")
    assert await notified(db)
    assert await pacer.renew(holder, "a", "coalesced", ahead=AHEAD, sent=7)
    assert not await notified(db)
    row = await pacer_lease(database)
    assert (row["mode"], row["notifications"], row["held"]) == ("coalesced", 7, True)
    assert 0 < row["ahead"] <= AHEAD
    await until(lambda: notified(db), timeout=2, what="the suppression to expire")
    assert await pacer.renew(holder, "a", "coalesced", ahead=AHEAD, sent=0)
    assert await pacer.renew(holder, "a", "draining", ahead=0, sent=0)
    assert await notified(db)


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
async def test_a_writer_of_any_isolation_level_reads_the_current_sequence(
    db: Connection, two: tuple[Plain, Plain], level: str
) -> None:
    holder, _ = two
    await pacer.claim(holder, "a")
    await db.execute(f"BEGIN ISOLATION LEVEL {level}; SELECT FROM opportunities")
    assert await notified(db)
    await pacer.renew(holder, "a", "coalesced", ahead=AHEAD, sent=0)
    assert not await notified(db)
    await pacer.renew(holder, "a", "draining", ahead=0, sent=0)
    assert await notified(db)
    await db.execute("COMMIT")


async def test_a_suppression_too_far_in_the_future_is_ignored(db: Connection) -> None:
    """This happens if the server's clock is set back, or if somebody else sets the sequence."""
    now = "(date_part('epoch', clock_timestamp()) * 1000)::bigint"
    for ahead, expected in ((900, False), (5_000, True), (3_600_000, True), (-1, True)):
        await db.execute(f"SELECT setval('feed.notify_suppressed_until', {now} + {ahead})")
        assert await notified(db) is expected, ahead


async def test_a_service_can_suppress_notify_only_as_the_pacer_and_for_a_second(
    db: Connection, database: Database, two: tuple[Plain, Plain]
) -> None:
    holder, other = two
    await pacer.claim(holder, "a")
    await other.execute("SELECT feed.suppress_notify(1000)")
    assert await notified(db)
    await holder.execute("SELECT feed.suppress_notify(2147483647)")
    assert 0 < (await pacer_lease(database))["ahead"] <= 1000
    assert not await notified(db)


async def test_muting_notify_takes_effect_at_the_commit(db: Connection) -> None:
    async with db.transaction(force_rollback=True):
        await db.execute("SELECT feed.set_notify(false)")
    assert await notified(db)
    await db.execute("SELECT feed.set_notify(false)")
    assert not await notified(db)
    async with db.transaction(force_rollback=True):
        await db.execute("SELECT feed.set_notify(true)")
    assert not await notified(db)
    await db.execute("SELECT feed.set_notify(true)")
    assert await notified(db)


async def test_a_sequence_that_says_muted_without_the_switch_is_reported_and_reset(db: Connection) -> None:
    await db.execute("SELECT setval('feed.notify_suppressed_until', 9007199254740991)")
    (health,) = await rows(db, "SELECT status, fix FROM feed.health WHERE topic = 'notify mode'")
    assert health["status"] == "warning"
    assert health["fix"].startswith("SELECT feed.set_notify(true);")
    await db.execute("SELECT feed.identify()")
    assert await notified(db)


async def test_the_muted_value_suppresses_notify(db: Connection) -> None:
    await db.execute("SELECT setval('feed.notify_suppressed_until', 9007199254740991)")
    assert await notified(db) is False


async def test_an_instance_without_the_lease_cannot_suppress_notify(
    database: Database, two: tuple[Plain, Plain], db: Connection
) -> None:
    first, second = two
    assert await pacer.claim(first, "a")
    assert not await pacer.claim(second, "b")
    assert not await pacer.renew(second, "b", "coalesced", ahead=AHEAD, sent=1)
    await db.execute("UPDATE feed.pacer SET until = clock_timestamp()")
    assert await pacer.claim(second, "b")
    assert not await pacer.renew(first, "a", "coalesced", ahead=AHEAD, sent=1)
    row = await pacer_lease(database)
    assert (row["instance"], row["suppressed_until"], row["notifications"]) == ("b", 0, 0)


async def test_a_renewal_that_waited_for_another_claim_fails(
    database: Database, two: tuple[Plain, Plain], db: Connection
) -> None:
    """Both believe that they hold it; the first renews while the second claims."""
    first, second = two
    assert await pacer.claim(first, "a")
    await db.execute("UPDATE feed.pacer SET until = clock_timestamp()")
    async with second.transaction():
        assert await pacer.claim(second, "b")
        late = asyncio.create_task(pacer.renew(first, "a", "coalesced", ahead=AHEAD, sent=0))
        await until(lambda: is_lock_awaited(database))
        assert not late.done()
    assert not await late
    assert (await pacer_lease(database))["suppressed_until"] == 0


async def test_an_older_connection_of_the_same_instance_cannot_renew(
    database: Database, two: tuple[Plain, Plain]
) -> None:
    """The same instance has claimed the lease again on another connection."""
    first, second = two
    assert await pacer.claim(first, "a")
    assert await pacer.claim(second, "a")
    assert not await pacer.renew(first, "a", "coalesced", ahead=AHEAD, sent=0)
    assert await pacer.renew(second, "a", "coalesced", ahead=AHEAD, sent=0)
    assert (await pacer_lease(database))["ahead"] > 0


async def test_an_expired_or_released_lease_can_be_claimed(
    database: Database, two: tuple[Plain, Plain], db: Connection
) -> None:
    first, second = two
    assert await pacer.claim(first, "a")
    await pacer.renew(first, "a", "coalesced", ahead=AHEAD, sent=0)
    await db.execute("LISTEN boardcast_pacer")
    await pacer.release(second, "somebody else", sent=0)
    assert (await pacer_lease(database))["instance"] == "a"
    await pacer.release(second, "a", sent=3)
    row = await pacer_lease(database)
    assert (row["instance"], row["suppressed_until"], row["notifications"], row["held"]) == ("", 0, 3, False)
    assert [n.channel async for n in db.notifies(timeout=5, stop_after=1)] == ["boardcast_pacer"]
    assert await pacer.claim(second, "b")
    # No claim can set an hour: the clock was set back.
    await db.execute("UPDATE feed.pacer SET until = clock_timestamp() + interval '1 hour'")
    assert await pacer.claim(first, "a")


async def test_a_barrier_ends_when_all_transactions_in_progress_have_ended(
    db: Connection, database: Database, two: tuple[Plain, Plain]
) -> None:
    conn, _ = two
    async with await database.connect(autocommit=False) as early, await database.connect(autocommit=False) as later:
        await early.execute("UPDATE opportunities SET notes = 'early'")
        await db.execute("UPDATE feed.boards SET name = name || 'x'")
        barrier = await pacer.barrier(conn)
        await later.execute("UPDATE users SET name = 'later'")
        assert not await pacer.ended(conn, barrier)
        await early.commit()
        assert await pacer.ended(conn, barrier)


async def test_a_barrier_includes_the_newest_transaction(
    db: Connection, database: Database, two: tuple[Plain, Plain]
) -> None:
    """Its ID is not below the xmax of any snapshot taken while it runs."""
    conn, _ = two
    async with await database.connect(autocommit=False) as newest:
        await newest.execute("UPDATE opportunities SET notes = 'x'")
        barrier = await pacer.barrier(conn)
        assert not await pacer.ended(conn, barrier)
        await newest.rollback()
        assert await pacer.ended(conn, barrier)


async def test_a_rollback_does_not_undo_the_sequence(database: Database, two: tuple[Plain, Plain]) -> None:
    holder, _ = two
    await pacer.claim(holder, "a")
    await pacer.renew(holder, "a", "coalesced", ahead=AHEAD, sent=0)
    async with holder.transaction(force_rollback=True):
        await pacer.renew(holder, "a", "draining", ahead=0, sent=0)
    assert (await pacer_lease(database))["suppressed_until"] == 0
