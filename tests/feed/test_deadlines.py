"""The feed's deadlines: pools drop dead connections, slow reads get a longer timeout, heartbeats cover only what was sent."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import psycopg
import pytest
from psycopg import AsyncConnection

from db.connection import Connection, ReadTimeoutError
from feed.http.server import health
from feed.recovery.read_timeouts import ReadTimeouts
from feed.system.database import Pool, connect, pool
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import Serve
from tests.support.until import until

READ_TIMEOUT = 0.5


@pytest.fixture
async def proxy(database: Database) -> AsyncIterator[Proxy]:
    async with Proxy.for_url(database.url) as proxy:
        yield proxy


@pytest.fixture
async def proxied(proxy: Proxy, database: Database) -> AsyncIterator[Pool]:
    proxied = pool(proxy.rewrite_url(database.url), "boardcast-test", 4)
    proxied._read_timeout = READ_TIMEOUT
    await proxied.open(wait=True, timeout=10)
    yield proxied
    await proxied.close()


async def _use_at_once(proxied: Pool, number: int) -> None:
    """Use `number` connections at the same time."""
    all_in_use = asyncio.Barrier(number)

    async def one() -> None:
        async with proxied.connection() as conn:
            await conn.execute("SELECT 1")
            await all_in_use.wait()

    await asyncio.gather(*(one() for _ in range(number)))


async def test_one_read_timeout_drops_all_connections_of_the_pool(proxied: Pool, proxy: Proxy) -> None:
    await _use_at_once(proxied, 4)
    proxy.hang_connections()
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        await _use_at_once(proxied, 1)
    for _ in range(4):
        await _use_at_once(proxied, 1)
    assert time.monotonic() - began < 2 * READ_TIMEOUT + 1, "only the first query waited for the timeout"
    proxy.cut()


async def test_a_cancelled_statement_keeps_its_connection(proxied: Pool, proxy: Proxy) -> None:
    await _use_at_once(proxied, 1)
    accepted = proxy.accepted
    async with proxied.connection() as conn:
        backend = conn.info.backend_pid
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await conn.execute("SELECT pg_sleep(60)")
    async with proxied.connection() as conn:
        assert conn.info.backend_pid == backend
    assert proxy.accepted == accepted + 1, "only the cancel request opens a connection"


async def test_the_pool_restores_the_read_timeout_of_a_returned_connection(proxied: Pool) -> None:
    async with proxied.connection() as conn:
        conn.read_timeout = 60
    async with proxied.connection() as conn:
        assert conn.read_timeout == READ_TIMEOUT


async def test_a_pool_that_cannot_connect_closes_promptly(database: Database) -> None:
    async with Proxy.for_url(database.url) as proxy:
        proxied = pool(proxy.rewrite_url(database.url), "boardcast-test", 2)
        proxy.hang()
        await proxied.open(wait=False)
        await until(lambda: proxy.open_connections)
        began = time.monotonic()
        await proxied.close()
        assert time.monotonic() - began < 2


async def _rows(conn: Connection) -> AsyncIterator[tuple[object, ...]]:
    async with aclosing(conn.cursor().stream("SELECT pg_sleep(1.2)")) as rows:  # type: ignore[type-var]
        async for row in rows:
            yield row


async def test_a_slow_read_completes_after_its_timeout_grows(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.recovery.read_timeouts.INITIAL_TIMEOUT", 0.2)
    reads, attempts, found = ReadTimeouts(), 0, 0
    while not found:
        attempts += 1
        async with await connect(database.url, "boardcast-test") as conn:
            try:
                async for _ in reads.read(conn, "slow", _rows(conn)):
                    found += 1
            except ReadTimeoutError:
                assert conn.closed
    assert 3 <= attempts <= 4
    assert not reads._seconds, "a completed read leaves no longer timeout"


async def test_every_connection_of_the_services_has_deadlines(serve: Serve, database: Database) -> None:
    services = await serve()
    await services.open("websocket")
    await services.open("api-events")
    async with services.api_client() as ana:
        assert (await ana.get("/api/boards/b1")).status_code == 200
    # Not isinstance(): it dereferences weak proxies, and their targets may be gone.
    found = [
        object_ for object_ in gc.get_objects() if issubclass(type(object_), AsyncConnection) and not object_.closed
    ]
    ours = [conn for conn in found if conn.info.get_parameters().get("dbname") == database.name]
    assert len(ours) >= 8  # tailer, listener, pacer and pool of both services, and the API's own pool
    assert {type(conn) for conn in ours} == {Connection}


@pytest.mark.parametrize("transport", ["websocket", "sse", "api-events"])
async def test_a_heartbeat_within_a_batch_has_no_cursor(serve: Serve, transport: str) -> None:
    services = await serve(heartbeat_interval=0.4)
    client = await services.open(transport)
    runtime = await services.runtime(transport)
    assert (await client.next("heartbeat")).cursor is not None
    (subscription,) = runtime.connections
    subscription.mid_batch = True
    client._read = len(client.messages)
    await client.next("heartbeat")  # it may have been sent before
    assert (await client.next("heartbeat")).body.get("cursor") is None
    subscription.mid_batch = False
    await client.next("heartbeat")
    assert (await client.next("heartbeat")).cursor is not None


async def test_an_instance_that_cannot_read_the_log_is_not_ready_until_it_can(serve: Serve, database: Database) -> None:
    """The network is fine: a lock on the log delays the query."""
    services = await serve(heartbeat_interval=0.4)
    client = await services.open("sse")
    runtime = await services.runtime("sse")
    await until(lambda: runtime.ready)
    async with await database.connect(autocommit=False) as locking:
        await locking.execute("LOCK TABLE feed.log IN ACCESS EXCLUSIVE MODE")
        await until(lambda: not runtime.ready, timeout=8)
        assert health(runtime)["status"] == "not ready"
        heartbeats = len([m for m in client.messages if m.type == "heartbeat"])
        await asyncio.sleep(1.5)
        assert len([m for m in client.messages if m.type == "heartbeat"]) == heartbeats
        await locking.rollback()
    await until(lambda: runtime.ready, timeout=15)
    assert health(runtime)["log"] == "followed"
    client._read = len(client.messages)
    await client.next("heartbeat")


def test_a_read_timeout_is_handled_as_a_lost_connection() -> None:
    assert issubclass(ReadTimeoutError, psycopg.OperationalError)
    assert issubclass(ReadTimeoutError, TimeoutError)
