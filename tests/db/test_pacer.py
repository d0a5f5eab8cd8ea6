"""The lease and the pulse: one holder, and nobody else moves the pulse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from db import pacer
from db.connection import PsycopgConnection as Plain
from feed.system.database import connect
from tests.db.support import Connection
from tests.support.busy import lease
from tests.support.database import Database
from tests.support.until import until

AHEAD = 400


@pytest.fixture
async def two(database: Database) -> AsyncIterator[tuple[Plain, Plain]]:
    async with AsyncExitStack() as stack:
        conns = [await stack.enter_async_context(await connect(database.url, "boardcast-pacer")) for _ in range(2)]
        for conn in conns:
            await pacer.prepare(conn)
        yield conns[0], conns[1]


async def waiting(database: Database) -> bool:
    """Whether somebody waits for the row of the lease."""
    (row,) = await database.execute(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(row["n"])


async def notified(db: Connection) -> bool:
    await db.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
    row = await (await db.execute("SELECT notified FROM feed.log ORDER BY seq DESC LIMIT 1")).fetchone()
    assert row is not None
    return bool(row["notified"])


async def test_of_many_who_claim_at_once_one_has_it(db: Connection, database: Database) -> None:
    async with AsyncExitStack() as stack:
        conns = [await stack.enter_async_context(await connect(database.url, "x")) for _ in range(16)]
        for conn in conns:
            await pacer.prepare(conn)
        got = await asyncio.gather(*(pacer.claim(conn, str(n)) for n, conn in enumerate(conns)))
    assert sum(got) == 1
    assert (await lease(database))["instance"] == str(got.index(True))


async def test_a_writer_does_not_ring_while_the_pulse_lasts(
    db: Connection, database: Database, two: tuple[Plain, Plain]
) -> None:
    holder, _ = two
    assert await notified(db)
    assert await pacer.claim(holder, "a")
    assert await notified(db)
    assert await pacer.renew(holder, "a", "coalesced", ahead=AHEAD, sent=7)
    assert not await notified(db)
    row = await lease(database)
    assert (row["mode"], row["notifications"], row["held"]) == ("coalesced", 7, True)
    assert 0 < row["ahead"] <= AHEAD
    await until(lambda: notified(db), timeout=2, what="the pulse to end by itself")
    assert await pacer.renew(holder, "a", "coalesced", ahead=AHEAD, sent=0)
    assert await pacer.renew(holder, "a", "draining", ahead=0, sent=0)
    assert await notified(db)


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
async def test_a_writer_of_any_isolation_level_sees_the_pulse_as_it_is(
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


async def test_a_pulse_that_is_too_far_ahead_is_none(db: Connection) -> None:
    """The server's clock was set back, or somebody has set the pulse who should not."""
    now = "(date_part('epoch', clock_timestamp()) * 1000)::bigint"
    for ahead, rings in ((900, False), (5_000, True), (3_600_000, True), (-1, True)):
        await db.execute(f"SELECT setval('feed.notify_suppressed_until', {now} + {ahead})")
        assert await notified(db) is rings, ahead


async def test_silence_is_a_pulse_that_no_clock_reaches(db: Connection) -> None:
    await db.execute("SELECT setval('feed.notify_suppressed_until', 9007199254740991)")
    assert await notified(db) is False


async def test_one_who_has_lost_the_lease_cannot_set_the_pulse(
    database: Database, two: tuple[Plain, Plain], db: Connection
) -> None:
    first, second = two
    assert await pacer.claim(first, "a")
    assert not await pacer.claim(second, "b")
    assert not await pacer.renew(second, "b", "coalesced", ahead=AHEAD, sent=1)
    await db.execute("UPDATE feed.pacer SET until = clock_timestamp()")
    assert await pacer.claim(second, "b")
    assert not await pacer.renew(first, "a", "coalesced", ahead=AHEAD, sent=1)
    row = await lease(database)
    assert (row["instance"], row["pulse"], row["notifications"]) == ("b", 0, 0)


async def test_nor_one_whose_statement_comes_a_moment_too_late(
    database: Database, two: tuple[Plain, Plain], db: Connection
) -> None:
    """Both believe they hold it, and the first is about to say so while the second takes it."""
    first, second = two
    assert await pacer.claim(first, "a")
    await db.execute("UPDATE feed.pacer SET until = clock_timestamp()")
    async with second.transaction():
        assert await pacer.claim(second, "b")
        late = asyncio.create_task(pacer.renew(first, "a", "coalesced", ahead=AHEAD, sent=0))
        await until(lambda: waiting(database))
        assert not late.done()
    assert not await late
    assert (await lease(database))["pulse"] == 0


async def test_nor_a_connection_that_was_given_up(database: Database, two: tuple[Plain, Plain]) -> None:
    """The same instance has claimed again by another one."""
    first, second = two
    assert await pacer.claim(first, "a")
    assert await pacer.claim(second, "a")
    assert not await pacer.renew(first, "a", "coalesced", ahead=AHEAD, sent=0)
    assert await pacer.renew(second, "a", "coalesced", ahead=AHEAD, sent=0)
    assert (await lease(database))["ahead"] > 0


async def test_a_lease_that_runs_out_or_is_given_back_is_anybodys(
    database: Database, two: tuple[Plain, Plain], db: Connection
) -> None:
    first, second = two
    assert await pacer.claim(first, "a")
    await pacer.renew(first, "a", "coalesced", ahead=AHEAD, sent=0)
    await db.execute("LISTEN boardcast_pacer")
    await pacer.release(second, "somebody else", sent=0)
    assert (await lease(database))["instance"] == "a"
    await pacer.release(second, "a", sent=3)
    row = await lease(database)
    assert (row["instance"], row["pulse"], row["notifications"], row["held"]) == ("", 0, 3, False)
    assert [n.channel async for n in db.notifies(timeout=5, stop_after=1)] == ["boardcast_pacer"]
    assert await pacer.claim(second, "b")
    # A lease that nobody can have taken: the clock was set back.
    await db.execute("UPDATE feed.pacer SET until = clock_timestamp() + interval '1 hour'")
    assert await pacer.claim(first, "a")


async def test_a_barrier_is_over_when_all_that_were_in_progress_have_ended(
    db: Connection, database: Database, two: tuple[Plain, Plain]
) -> None:
    conn, _ = two
    async with await database.connect(autocommit=False) as early, await database.connect(autocommit=False) as later:
        await early.execute("UPDATE opportunities SET notes = 'early'")
        await db.execute("UPDATE boards SET name = name || 'x'")
        barrier = await pacer.barrier(conn)
        await later.execute("UPDATE users SET name = 'later'")
        assert not await pacer.ended(conn, barrier)
        await early.commit()
        assert await pacer.ended(conn, barrier)


async def test_the_newest_transaction_is_in_progress_too(
    db: Connection, database: Database, two: tuple[Plain, Plain]
) -> None:
    """Its id is not below the xmax of any snapshot taken meanwhile."""
    conn, _ = two
    async with await database.connect(autocommit=False) as newest:
        await newest.execute("UPDATE opportunities SET notes = 'x'")
        barrier = await pacer.barrier(conn)
        assert not await pacer.ended(conn, barrier)
        await newest.rollback()
        assert await pacer.ended(conn, barrier)


async def test_a_rollback_does_not_take_the_pulse_back(database: Database, two: tuple[Plain, Plain]) -> None:
    holder, _ = two
    await pacer.claim(holder, "a")
    await pacer.renew(holder, "a", "coalesced", ahead=AHEAD, sent=0)
    async with holder.transaction(force_rollback=True):
        await pacer.renew(holder, "a", "draining", ahead=0, sent=0)
    assert (await lease(database))["pulse"] == 0
