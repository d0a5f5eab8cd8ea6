"""What the feed does with deadlines: pools that drop what is dead, reads that are granted longer, heartbeats that do not lie."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import psycopg
import pytest
from psycopg import AsyncConnection

from db.connection import Connection, ReadTimeoutError
from feed.recovery.read_timeouts import ReadTimeouts
from feed.system.database import Pool, connect, pool
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import Serve
from tests.support.until import until

SOON = 0.5


@pytest.fixture
async def proxy(database: Database) -> AsyncIterator[Proxy]:
    async with Proxy.before(database.url) as proxy:
        yield proxy


@pytest.fixture
async def through(proxy: Proxy, database: Database) -> AsyncIterator[Pool]:
    through = pool(proxy.through(database.url), "boardcast-test", 4)
    through._read_timeout = SOON
    await through.open(wait=True, timeout=10)
    yield through
    await through.close()


async def _use(through: Pool, number: int) -> None:
    """Use so many connections at once."""
    together = asyncio.Barrier(number)

    async def one() -> None:
        async with through.connection() as conn:
            await conn.execute("SELECT 1")
            await together.wait()

    await asyncio.gather(*(one() for _ in range(number)))


async def test_one_connection_that_times_out_speaks_for_all_of_its_pool(through: Pool, proxy: Proxy) -> None:
    await _use(through, 4)
    proxy.hang_links()
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        await _use(through, 1)
    for _ in range(4):
        await _use(through, 1)
    assert time.monotonic() - began < 2 * SOON + 1, "only the first has waited"
    proxy.cut()


async def test_a_cancelled_statement_costs_the_pool_no_connection(through: Pool, proxy: Proxy) -> None:
    await _use(through, 1)
    made = proxy.accepted
    async with through.connection() as conn:
        backend = conn.info.backend_pid
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await conn.execute("SELECT pg_sleep(60)")
    async with through.connection() as conn:
        assert conn.info.backend_pid == backend
    assert proxy.accepted == made + 1, "one to ask for the cancellation, and no other"


async def test_what_was_granted_longer_is_not_when_it_comes_back_from_the_pool(through: Pool) -> None:
    async with through.connection() as conn:
        conn.read_timeout = 60
    async with through.connection() as conn:
        assert conn.read_timeout == SOON


async def test_a_pool_closes_in_time_while_it_cannot_connect(database: Database) -> None:
    async with Proxy.before(database.url) as proxy:
        through = pool(proxy.through(database.url), "boardcast-test", 2)
        proxy.hang()
        await through.open(wait=False)
        await until(lambda: proxy.open_links)
        began = time.monotonic()
        await through.close()
        assert time.monotonic() - began < 2


async def _rows(conn: Connection) -> AsyncIterator[tuple[object, ...]]:
    async with aclosing(conn.cursor().stream("SELECT pg_sleep(1.2)")) as rows:  # type: ignore[type-var]
        async for row in rows:
            yield row


async def test_a_read_that_takes_long_gets_through_in_the_end(
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
    assert not reads._seconds, "nothing is remembered of what got through"


async def test_every_connection_of_the_services_has_deadlines(serve: Serve, database: Database) -> None:
    services = await serve()
    await services.open("websocket")
    await services.open("api-events")
    async with services.asking() as ana:
        assert (await ana.get("/api/boards/b1")).status_code == 200
    # By type: isinstance() asks a weak proxy for the class of what it stands for, which may be gone.
    found = [each for each in gc.get_objects() if issubclass(type(each), AsyncConnection) and not each.closed]
    ours = [each for each in found if each.info.get_parameters().get("dbname") == database.name]
    assert len(ours) >= 8  # tailer, listener, pacer, pool: of two services; and the API's own
    assert {type(each) for each in ours} == {Connection}


@pytest.mark.parametrize("transport", ["websocket", "sse", "api-events"])
async def test_a_heartbeat_has_no_cursor_for_one_that_is_owed_a_part(serve: Serve, transport: str) -> None:
    services = await serve(heartbeat_interval=0.4)
    client = await services.open(transport)
    hub = await services.hub(transport)
    assert (await client.next("heartbeat")).cursor is not None
    (subscription,) = hub.connections
    subscription.mid_batch = True
    client._read = len(client.messages)
    await client.next("heartbeat")  # it may have been under way
    assert (await client.next("heartbeat")).body.get("cursor") is None
    subscription.mid_batch = False
    await client.next("heartbeat")
    assert (await client.next("heartbeat")).cursor is not None


async def test_an_instance_that_cannot_read_the_log_is_not_ready_until_it_can(serve: Serve, database: Database) -> None:
    """Not for a fault of the network: a lock on the log keeps the answer back, and the connection is as good as any."""
    services = await serve(heartbeat_interval=0.4)
    client = await services.open("sse")
    hub = await services.hub("sse")
    await until(lambda: hub.ready)
    async with await database.connect(autocommit=False) as locking:
        await locking.execute("LOCK TABLE feed.log IN ACCESS EXCLUSIVE MODE")
        await until(lambda: not hub.ready, timeout=8)
        assert hub.health()["status"] == "not ready"
        beats = len([m for m in client.messages if m.type == "heartbeat"])
        await asyncio.sleep(1.5)
        assert len([m for m in client.messages if m.type == "heartbeat"]) == beats
        await locking.rollback()
    await until(lambda: hub.ready, timeout=15)
    assert hub.health()["log"] == "followed"
    client._read = len(client.messages)
    await client.next("heartbeat")


def test_a_read_timeout_is_handled_as_a_lost_connection() -> None:
    assert issubclass(ReadTimeoutError, psycopg.OperationalError)
    assert issubclass(ReadTimeoutError, TimeoutError)
