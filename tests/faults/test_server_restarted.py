"""PostgreSQL goes away in each of its ways and comes back; the clients stay connected and miss nothing."""

import asyncio
from collections.abc import Callable

import pytest

from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database
from tests.support.load import read_to, version, versions, writing
from tests.support.services import people, serving
from tests.support.until import until

WAYS: dict[str, Callable[[EmbeddedPostgres], None]] = {
    "fast": lambda server: server.stop("fast"),
    "immediate": lambda server: server.stop("immediate"),
    "kill -9": lambda server: server.kill(),
}


async def test_every_version_arrives_once_and_in_order(own_server: EmbeddedPostgres) -> None:
    database = Database(own_server.url(), "boardcast")
    await people(database)
    async with serving(database) as services:
        clients = [await services.open(transport) for transport in ("websocket", "sse", "api-events")]
        hub = await services.hub("websocket")
        async with writing(database) as load:
            for end in WAYS.values():
                before = load.written
                await until(lambda at=before: load.written > at + 20)  # type: ignore[misc]
                await asyncio.to_thread(end, own_server)
                await until(lambda: not hub.ready)
                await asyncio.to_thread(own_server.start)
                await until(lambda: hub.ready, timeout=20)
            before = load.written
            await until(lambda: load.written > before + 20)
        last = await version(database)
        for client in clients:
            assert versions(await read_to(client, last)) == list(range(2, last + 1))
            assert not [m for m in client.messages if m.type == "reset"]
            assert client.ended is None


async def test_a_stream_opened_while_the_server_is_away_begins_when_it_is_back(
    own_server: EmbeddedPostgres,
) -> None:
    database = Database(own_server.url(), "boardcast")
    await people(database)
    async with serving(database) as services:
        first = await services.open("websocket")
        start = first.cursor
        hub = await services.hub("websocket")
        await database.execute("UPDATE opportunities SET notes = 'x'")
        await first.next_event()
        hub.publisher.replay_buffer.clear()
        await asyncio.to_thread(own_server.stop, "immediate")
        await until(lambda: not hub.ready)
        client = await services.open("websocket", start, greeted=False)
        with pytest.raises(AssertionError, match="no message"):
            await client.next(timeout=0.5)
        await asyncio.to_thread(own_server.start)
        assert (await client.next("auth_success", timeout=20)).body["resume"] == "resumed"
        assert (await client.next_event()).body["version"] == 2


async def test_crash_with_asynchronous_commit(own_server: EmbeddedPostgres) -> None:
    """What was sent is in the table after a crash, although its writer did not want to wait for the disk."""
    database = Database(own_server.url(), "boardcast")
    await people(database)
    async with serving(database) as services:
        client = await services.open("websocket")
        async with await database.connect() as writer:
            await writer.execute("SET synchronous_commit = off")
            for n in range(30):
                await writer.execute("UPDATE opportunities SET notes = %s", [str(n)])
            told = (await client.collect(30))[-1]
            await asyncio.to_thread(own_server.stop, "immediate")
        await asyncio.to_thread(own_server.start)
        assert await version(database) == told.body["version"] == 31
        hub = await services.hub("websocket")
        await until(lambda: hub.ready, timeout=20)
        again = await services.open("websocket", told.cursor)
        await database.execute("UPDATE opportunities SET notes = 'after'")
        assert (await again.next_event()).body["version"] == 32
