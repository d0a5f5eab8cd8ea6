"""Every wait for PostgreSQL has a timeout, even if the connection dies behind a live proxy; the connection is then closed."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest

from db.connection import CANCEL_TIMEOUT, Connection, ReadTimeoutError
from tests.support.database import Database
from tests.support.proxy import Proxy

pytestmark = pytest.mark.any_version

SHORT = 0.5


@pytest.fixture
async def proxy(database: Database) -> AsyncIterator[Proxy]:
    async with Proxy.for_url(database.url) as proxy:
        yield proxy


@asynccontextmanager
async def _connected(
    proxy: Proxy, database: Database, *, autocommit: bool = True, read_timeout: float = SHORT
) -> AsyncIterator[Connection]:
    conn = await Connection.connect(proxy.rewrite_url(database.url), autocommit=autocommit, read_timeout=read_timeout)
    try:
        yield conn
    finally:
        await conn.close()


@asynccontextmanager
async def _ends_within(seconds: float) -> AsyncIterator[None]:
    began = time.monotonic()
    async with asyncio.timeout(seconds + 5):
        yield
    assert time.monotonic() - began < seconds


async def _execute(conn: Connection) -> None:
    await conn.execute("SELECT 1")


async def _stream(conn: Connection) -> None:
    async for _ in conn.cursor().stream("SELECT 1"):
        pass


async def _begin(conn: Connection) -> None:
    async with conn.transaction():
        pass


async def _copy_out(conn: Connection) -> None:
    async with conn.cursor() as cursor, cursor.copy("COPY boards TO STDOUT") as copy:
        async for _ in copy:
            pass


async def _copy_in(conn: Connection) -> None:
    async with conn.cursor() as cursor, cursor.copy("COPY boards FROM STDIN") as copy:
        await copy.write("x")


async def _executemany(conn: Connection) -> None:
    await conn.cursor().executemany("SELECT %s", [(1,), (2,)])


async def _pipeline(conn: Connection) -> None:
    async with conn.pipeline():
        await conn.execute("SELECT 1")


async def _notifies(conn: Connection) -> None:
    async for _ in conn.notifies():
        pass


async def _autocommit(conn: Connection) -> None:
    async with conn.cursor("named") as cursor:
        await cursor.execute("SELECT 1")


@pytest.mark.parametrize(
    "use", [_execute, _stream, _begin, _copy_out, _copy_in, _executemany, _pipeline, _notifies, _autocommit]
)
async def test_a_read_on_a_dead_connection_times_out(
    proxy: Proxy, database: Database, use: Callable[[Connection], Awaitable[None]]
) -> None:
    async with _connected(proxy, database, autocommit=use is not _autocommit) as conn:
        proxy.hang()
        async with _ends_within(SHORT + 1):
            with pytest.raises(ReadTimeoutError):
                await use(conn)
        assert conn.closed
        assert conn.timed_out


@pytest.mark.parametrize("error", [None, LookupError("of the block")])
async def test_ending_a_transaction_on_a_dead_connection_times_out(
    proxy: Proxy, database: Database, error: Exception | None
) -> None:
    async def transaction(conn: Connection) -> None:
        async with conn.transaction():
            await conn.execute("SELECT 1")
            proxy.hang()
            if error is not None:
                raise error

    async with _connected(proxy, database) as conn:
        async with _ends_within(SHORT + 1):
            with pytest.raises(LookupError if error else ReadTimeoutError):
                await transaction(conn)
        assert conn.closed


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_commit_and_rollback_on_a_dead_connection_time_out(proxy: Proxy, database: Database, end: str) -> None:
    async with _connected(proxy, database, autocommit=False) as conn:
        await conn.execute("SELECT 1")
        proxy.hang()
        async with _ends_within(SHORT + 1):
            with pytest.raises(ReadTimeoutError):
                await getattr(conn, end)()


async def test_a_stream_that_hangs_in_the_middle_times_out(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database, read_timeout=5) as conn:
        rows = conn.cursor().stream("SELECT n, repeat('x', 1000) FROM generate_series(1, 100000) AS n")
        await anext(rows)
        proxy.hang()
        conn.read_timeout = SHORT
        async with _ends_within(SHORT + 1):
            with pytest.raises(ReadTimeoutError):
                async for _ in rows:
                    pass


async def test_closing_a_stream_on_a_dead_connection_returns(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database, read_timeout=60) as conn:
        rows = conn.cursor().stream("SELECT n, repeat('x', 1000) FROM generate_series(1, 100000) AS n")
        await anext(rows)
        proxy.hang()
        async with _ends_within(3 * CANCEL_TIMEOUT):
            await rows.aclose()  # type: ignore[attr-defined]
        assert conn.closed


async def test_cancelling_on_a_dead_connection_returns(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database, read_timeout=60) as conn:
        proxy.hang()
        async with _ends_within(3 * CANCEL_TIMEOUT):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await conn.execute("SELECT 1")
        assert conn.closed


async def test_cancelling_a_statement_keeps_a_healthy_connection(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database, read_timeout=60) as conn:
        async with _ends_within(CANCEL_TIMEOUT):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await conn.execute("SELECT pg_sleep(60)")
        conn.read_timeout = 5
        assert await (await conn.execute("SELECT 1")).fetchone() == (1,)


async def test_the_timeout_counts_silence_not_total_time(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database) as conn:
        rows = conn.cursor().stream("SELECT n, pg_sleep(0.2), repeat('x', 20000) FROM generate_series(1, 8) AS n")
        assert len([row async for row in rows]) == 8
        found = await conn.execute("SELECT n, pg_sleep(0.2), repeat('x', 20000) FROM generate_series(1, 8) AS n")
        assert len(await found.fetchall()) == 8


async def test_silent_for_extends_the_timeout_of_a_statement(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database) as conn:
        with conn.silent_for(10):
            await conn.execute("SELECT pg_sleep(1)")
        with pytest.raises(ReadTimeoutError):
            await conn.execute("SELECT pg_sleep(1)")


async def test_silent_for_is_capped_by_max_read_timeout(proxy: Proxy, database: Database) -> None:
    conn = await Connection.connect(proxy.rewrite_url(database.url), autocommit=True, max_read_timeout=SHORT)
    with conn.silent_for(60), pytest.raises(ReadTimeoutError):
        await conn.execute("SELECT pg_sleep(2)")


async def test_a_result_that_arrives_while_the_process_is_blocked_counts(proxy: Proxy, database: Database) -> None:
    conn = await Connection.connect(database.url, autocommit=True, read_timeout=SHORT)
    execution = asyncio.create_task(conn.execute("SELECT pg_sleep(0.2)"))
    await asyncio.sleep(0.1)
    time.sleep(3 * SHORT)  # noqa: ASYNC251 - that is the fault
    await execution
    await conn.close()


async def test_waiting_for_notifications_does_not_time_out(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database) as conn:
        await conn.execute("LISTEN nobody")
        assert [each async for each in conn.notifies(timeout=3 * SHORT)] == []
        assert await (await conn.execute("SELECT 1")).fetchone() == (1,)


async def test_connecting_to_a_server_that_never_answers_times_out(proxy: Proxy, database: Database) -> None:
    proxy.hang()
    async with _ends_within(4):
        with pytest.raises(psycopg.OperationalError):
            await Connection.connect(proxy.rewrite_url(database.url), connect_timeout=2)


async def test_name_resolution_times_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.connection.RESOLVE_TIMEOUT", 0.1)
    loop = asyncio.get_running_loop()

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(loop, "getaddrinfo", never)
    async with _ends_within(4):
        with pytest.raises(psycopg.OperationalError):
            await Connection.connect("host=db.example", connect_timeout=2)


async def test_a_canceled_connect_closes_its_socket_even_if_the_exception_is_kept() -> None:
    connected, ended = asyncio.Event(), asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        while await reader.read(100):
            pass
        ended.set()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        gc.disable()  # as in a service, where it seldom runs
        try:
            connecting = asyncio.create_task(Connection.connect(f"host=127.0.0.1 port={port} user=x"))
            await connected.wait()
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError) as kept:
                await connecting
            async with asyncio.timeout(5):
                await ended.wait()
            assert kept.value is not None
        finally:
            gc.enable()
