"""The prefetch: each notification's query is answered once, and no notification is lost in the meantime."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from psycopg import AsyncConnection

from db.changelog.positions import Position, Seen, identify_feed, read_position
from db.changelog.prefetch import prefetch_query, prepare_prefetch
from feed.system.database import connect
from feed.tailing.prefetch import Prefetch
from feed.tailing.session import Session
from feed.wire.cursor import Cursor
from tests.support.database import Database
from tests.support.until import until


@dataclass
class Watcher:
    database: Database
    prefetch: Prefetch
    session: Session
    pid: int
    feed: str
    seen: Seen
    wake_ups: int = 0

    async def insert(self, *keys: str) -> None:
        await self.database.execute(
            "INSERT INTO opportunities (id, board_id) SELECT k, 'b' FROM unnest(%s::text[]) AS k", [list(keys)]
        )

    async def taken(self) -> list[str | None] | None:
        part = await self.prefetch.take()
        return None if part is None else [change.key for change in part.changes]


@pytest.fixture
async def watcher(database: Database) -> AsyncIterator[Watcher]:
    await database.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b', 'B', '[]')")
    conn = await connect(database.url, "watcher")
    try:
        await prepare_prefetch(conn)
        feed = await identify_feed(conn)
        seen = Cursor.at(feed, await read_position(conn)).seen
        watching: Watcher

        def on_wake() -> None:
            watching.wake_ups += 1

        prefetch = Prefetch(on_wake)
        session = Session(conn, lambda _: prefetch.on_notify())
        watching = Watcher(database, prefetch, session, conn.info.backend_pid, feed, seen)
        assert await session.query(*prefetch_query(Seen(2**62), 1))
        prefetch.attach(session)
        yield watching
        session.close()
    finally:
        await conn.close()


@asynccontextmanager
async def queries_blocked(database: Database) -> AsyncIterator[None]:
    """Queries wait for a lock while the block runs."""
    async with await AsyncConnection.connect(database.url) as conn:
        await conn.execute("LOCK TABLE feed.identity")
        yield


async def wait_until_blocked(watcher: Watcher) -> None:
    async def waiting() -> bool:
        return bool(
            await watcher.database.execute(
                "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", [watcher.pid]
            )
        )

    await until(waiting)


async def test_new_changes_are_prefetched(watcher: Watcher) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    await watcher.insert("n1", "n2")
    watcher.prefetch.on_notify()
    assert await watcher.taken() == ["n1", "n2"]
    assert watcher.wake_ups == 0


async def test_a_notification_during_a_query_causes_another_wake_up(watcher: Watcher, database: Database) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    async with queries_blocked(database):
        watcher.prefetch.on_notify()
        await wait_until_blocked(watcher)
        watcher.prefetch.on_notify()
    await watcher.taken()
    assert watcher.wake_ups == 1


async def test_the_answer_to_an_outdated_query_is_discarded(watcher: Watcher, database: Database) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    await watcher.insert("n1")
    after = Cursor.at(watcher.feed, await position(database)).seen
    async with queries_blocked(database):
        watcher.prefetch.on_notify()
        await wait_until_blocked(watcher)
        watcher.prefetch.prepare(after, 100)
        assert await watcher.taken() is None, "the connection is still running the outdated query"
    await until(lambda: watcher.session.is_idle)
    watcher.prefetch.prepare(after, 100)
    await watcher.insert("n2")
    assert await watcher.taken() == ["n2"]


async def test_no_query_is_sent_between_take_and_the_next_prepare(watcher: Watcher) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    assert await watcher.taken() == []
    await watcher.insert("n1")
    watcher.prefetch.on_notify()
    assert watcher.session.is_idle
    assert await watcher.taken() is None


async def test_more_changes_than_the_limit_are_not_prefetched(watcher: Watcher) -> None:
    watcher.prefetch.prepare(watcher.seen, 2)
    await watcher.insert("n1", "n2", "n3")
    assert await watcher.taken() is None


async def test_the_answer_has_the_id_of_its_feed(watcher: Watcher, database: Database) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    await watcher.insert("n1")
    (row,) = await database.execute("SELECT feed.reset_feed() AS id")
    part = await watcher.prefetch.take()
    assert part is not None
    assert part.feed == row["id"] != watcher.feed


async def test_a_lost_connection_gives_no_answer(watcher: Watcher, database: Database) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    async with queries_blocked(database):
        watcher.prefetch.on_notify()
        await wait_until_blocked(watcher)
        taking = asyncio.create_task(watcher.taken())
        await database.execute("SELECT pg_terminate_backend(%s)", [watcher.pid])
        assert await taking is None
    assert watcher.session.lost.done()
    assert not watcher.session.is_idle


async def position(database: Database) -> Position:
    conn = await connect(database.url, "position")
    async with conn:
        return await read_position(conn)


async def test_invalidate_repeats_the_query(watcher: Watcher) -> None:
    watcher.prefetch.prepare(watcher.seen, 10)
    watcher.prefetch.on_notify()
    await until(lambda: watcher.session.is_idle, what="the unused answer")
    await watcher.insert("since")
    watcher.prefetch.invalidate()
    assert await watcher.taken() == ["since"]
