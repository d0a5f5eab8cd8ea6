"""The prefetch: what is asked when a notification arrives is given once, and no notification is lost meanwhile."""

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
    again: int = 0

    async def insert(self, *keys: str) -> None:
        await self.database.execute(
            "INSERT INTO opportunities (id, board_id) SELECT k, 'b' FROM unnest(%s::text[]) AS k", [list(keys)]
        )

    async def told(self) -> list[str | None] | None:
        part = await self.prefetch.take()
        return None if part is None else [change.key for change in part.changes]


@pytest.fixture
async def watcher(database: Database) -> AsyncIterator[Watcher]:
    await database.execute("INSERT INTO boards (id, name, phases) VALUES ('b', 'B', '[]')")
    conn = await connect(database.url, "watcher")
    try:
        await prepare_prefetch(conn)
        feed = await identify_feed(conn)
        seen = Cursor.at(feed, await read_position(conn)).seen
        watching: Watcher

        def again() -> None:
            watching.again += 1

        prefetch = Prefetch(again)
        session = Session(conn, lambda _: prefetch.on_notify())
        watching = Watcher(database, prefetch, session, conn.info.backend_pid, feed, seen)
        assert await session.query(*prefetch_query(Seen(2**62), 1))
        prefetch.attach(session)
        yield watching
        session.close()
    finally:
        await conn.close()


@asynccontextmanager
async def held_up(database: Database) -> AsyncIterator[None]:
    """Questions wait on a lock while the block runs."""
    async with await AsyncConnection.connect(database.url) as conn:
        await conn.execute("LOCK TABLE feed.identity")
        yield


async def waits(watcher: Watcher) -> None:
    async def waiting() -> bool:
        return bool(
            await watcher.database.execute(
                "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", [watcher.pid]
            )
        )

    await until(waiting)


async def test_what_is_new_is_told(watcher: Watcher) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    await watcher.insert("n1", "n2")
    watcher.prefetch.on_notify()
    assert await watcher.told() == ["n1", "n2"]
    assert watcher.again == 0


async def test_a_bell_during_a_question_is_rung_again(watcher: Watcher, database: Database) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    async with held_up(database):
        watcher.prefetch.on_notify()
        await waits(watcher)
        watcher.prefetch.on_notify()
    await watcher.told()
    assert watcher.again == 1


async def test_an_answer_to_an_older_question_is_never_told(watcher: Watcher, database: Database) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    await watcher.insert("n1")
    after = Cursor.at(watcher.feed, await position(database)).seen
    async with held_up(database):
        watcher.prefetch.on_notify()
        await waits(watcher)
        watcher.prefetch.prepare(after, 100)
        assert await watcher.told() is None, "the connection still has the old question"
    await until(lambda: watcher.session.is_idle)
    watcher.prefetch.prepare(after, 100)
    await watcher.insert("n2")
    assert await watcher.told() == ["n2"]


async def test_between_take_and_the_next_prepare_nothing_is_asked(watcher: Watcher) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    assert await watcher.told() == []
    await watcher.insert("n1")
    watcher.prefetch.on_notify()
    assert watcher.session.is_idle
    assert await watcher.told() is None


async def test_more_than_a_few_are_not_told(watcher: Watcher) -> None:
    watcher.prefetch.prepare(watcher.seen, 2)
    await watcher.insert("n1", "n2", "n3")
    assert await watcher.told() is None


async def test_an_answer_says_of_which_feed_it_is(watcher: Watcher, database: Database) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    await watcher.insert("n1")
    (row,) = await database.execute("SELECT feed.reset_feed() AS id")
    part = await watcher.prefetch.take()
    assert part is not None
    assert part.feed == row["id"] != watcher.feed


async def test_a_lost_connection_tells_nothing(watcher: Watcher, database: Database) -> None:
    watcher.prefetch.prepare(watcher.seen, 100)
    async with held_up(database):
        watcher.prefetch.on_notify()
        await waits(watcher)
        telling = asyncio.create_task(watcher.told())
        await database.execute("SELECT pg_terminate_backend(%s)", [watcher.pid])
        assert await telling is None
    assert watcher.session.lost.done()
    assert not watcher.session.is_idle


async def position(database: Database) -> Position:
    conn = await connect(database.url, "position")
    async with conn:
        return await read_position(conn)


async def test_what_was_asked_before_is_asked_again_for_one_who_must_know_what_came_since(watcher: Watcher) -> None:
    watcher.prefetch.prepare(watcher.seen, 10)
    watcher.prefetch.on_notify()
    await until(lambda: watcher.session.is_idle, what="an answer that nobody has looked at")
    await watcher.insert("since")
    watcher.prefetch.invalidate()
    assert await watcher.told() == ["since"]
