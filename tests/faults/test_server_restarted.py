"""PostgreSQL stops in each possible way and restarts; clients stay connected and miss nothing."""

import asyncio
from collections.abc import Callable

import pytest

from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database
from tests.support.load import card_version, read_until_version, versions, writing
from tests.support.services import add_people, serving
from tests.support.until import until

SHUTDOWNS: dict[str, Callable[[EmbeddedPostgres], None]] = {
    "fast": lambda server: server.stop("fast"),
    "immediate": lambda server: server.stop("immediate"),
    "kill -9": lambda server: server.kill(),
}


async def test_clients_get_every_version_in_order_across_restarts(own_server: EmbeddedPostgres) -> None:
    database = Database(own_server.url(), "boardcast")
    await add_people(database)
    async with serving(database) as services:
        clients = [await services.open(transport) for transport in ("websocket", "sse", "api-events")]
        runtime = await services.runtime("websocket")
        async with writing(database) as load:
            for shut_down in SHUTDOWNS.values():
                before = load.written
                await until(lambda at=before: load.written > at + 20)  # type: ignore[misc]
                await asyncio.to_thread(shut_down, own_server)
                await until(lambda: not runtime.ready)
                await asyncio.to_thread(own_server.start)
                await until(lambda: runtime.ready, timeout=20)
            before = load.written
            await until(lambda: load.written > before + 20)
        last = await card_version(database)
        for client in clients:
            assert versions(await read_until_version(client, last)) == list(range(2, last + 1))
            assert not [m for m in client.messages if m.type == "reset"]
            assert client.ended is None


async def test_a_stream_opened_while_the_server_is_down_begins_once_it_is_up(
    own_server: EmbeddedPostgres,
) -> None:
    database = Database(own_server.url(), "boardcast")
    await add_people(database)
    async with serving(database) as services:
        first = await services.open("websocket")
        start = first.cursor
        runtime = await services.runtime("websocket")
        await database.execute("UPDATE opportunities SET notes = 'x'")
        await first.next_event()
        runtime.publisher.replay_buffer.clear()
        await asyncio.to_thread(own_server.stop, "immediate")
        await until(lambda: not runtime.ready)
        client = await services.open("websocket", start, wait_for_auth=False)
        with pytest.raises(AssertionError, match="no message"):
            await client.next(timeout=0.5)
        await asyncio.to_thread(own_server.start)
        assert (await client.next("auth_success", timeout=20)).body["resume"] == "resumed"
        assert (await client.next_event()).body["version"] == 2


async def test_delivered_changes_survive_a_crash_with_asynchronous_commit(own_server: EmbeddedPostgres) -> None:
    """Delivered changes are in the table after a crash, even if their writer did not wait for the disk."""
    database = Database(own_server.url(), "boardcast")
    await add_people(database)
    async with serving(database) as services:
        client = await services.open("websocket")
        async with await database.connect() as writer:
            await writer.execute("SET synchronous_commit = off")
            for n in range(30):
                await writer.execute("UPDATE opportunities SET notes = %s", [str(n)])
            last_event = (await client.collect(30))[-1]
            await asyncio.to_thread(own_server.stop, "immediate")
        await asyncio.to_thread(own_server.start)
        assert await card_version(database) == last_event.body["version"] == 31
        runtime = await services.runtime("websocket")
        await until(lambda: runtime.ready, timeout=20)
        again = await services.open("websocket", last_event.cursor)
        await database.execute("UPDATE opportunities SET notes = 'after'")
        assert (await again.next_event()).body["version"] == 32
