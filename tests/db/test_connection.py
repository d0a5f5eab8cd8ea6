"""No wait for PostgreSQL is endless: a line that is dead behind a live proxy ends each of them, and closes the connection."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest

from db.connection import CANCEL_TIMEOUT, Connection, ReadTimeoutError
from tests.support.database import Database
from tests.support.proxy import Proxy

SOON = 0.5


@pytest.fixture
async def proxy(database: Database) -> AsyncIterator[Proxy]:
    async with Proxy.before(database.url) as proxy:
        yield proxy


@asynccontextmanager
async def _connected(
    proxy: Proxy, database: Database, *, autocommit: bool = True, read_timeout: float = SOON
) -> AsyncIterator[Connection]:
    conn = await Connection.connect(proxy.through(database.url), autocommit=autocommit, read_timeout=read_timeout)
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


async def _many(conn: Connection) -> None:
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
    "use", [_execute, _stream, _begin, _copy_out, _copy_in, _many, _pipeline, _notifies, _autocommit]
)
async def test_a_wait_on_a_dead_line_ends(
    proxy: Proxy, database: Database, use: Callable[[Connection], Awaitable[None]]
) -> None:
    async with _connected(proxy, database, autocommit=use is not _autocommit) as conn:
        proxy.hang()
        async with _ends_within(SOON + 1):
            with pytest.raises(ReadTimeoutError):
                await use(conn)
        assert conn.closed
        assert conn.timed_out


@pytest.mark.parametrize("error", [None, LookupError("of the block")])
async def test_the_end_of_a_transaction_on_a_dead_line_ends(
    proxy: Proxy, database: Database, error: Exception | None
) -> None:
    async def transaction(conn: Connection) -> None:
        async with conn.transaction():
            await conn.execute("SELECT 1")
            proxy.hang()
            if error is not None:
                raise error

    async with _connected(proxy, database) as conn:
        async with _ends_within(SOON + 1):
            with pytest.raises(LookupError if error else ReadTimeoutError):
                await transaction(conn)
        assert conn.closed


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_the_end_of_a_block_on_a_dead_line_ends(proxy: Proxy, database: Database, end: str) -> None:
    async with _connected(proxy, database, autocommit=False) as conn:
        await conn.execute("SELECT 1")
        proxy.hang()
        async with _ends_within(SOON + 1):
            with pytest.raises(ReadTimeoutError):
                await getattr(conn, end)()


async def test_a_stream_that_hangs_in_its_middle_ends(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database, read_timeout=5) as conn:
        rows = conn.cursor().stream("SELECT n, repeat('x', 1000) FROM generate_series(1, 100000) AS n")
        await anext(rows)
        proxy.hang()
        conn.read_timeout = SOON
        async with _ends_within(SOON + 1):
            with pytest.raises(ReadTimeoutError):
                async for _ in rows:
                    pass


async def test_leaving_a_stream_on_a_dead_line_ends(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database, read_timeout=60) as conn:
        rows = conn.cursor().stream("SELECT n, repeat('x', 1000) FROM generate_series(1, 100000) AS n")
        await anext(rows)
        proxy.hang()
        async with _ends_within(3 * CANCEL_TIMEOUT):
            await rows.aclose()  # type: ignore[attr-defined]
        assert conn.closed


async def test_cancelling_on_a_dead_line_ends(proxy: Proxy, database: Database) -> None:
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


async def test_it_is_silence_that_counts_and_not_the_time(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database) as conn:
        rows = conn.cursor().stream("SELECT n, pg_sleep(0.2), repeat('x', 20000) FROM generate_series(1, 8) AS n")
        assert len([row async for row in rows]) == 8
        found = await conn.execute("SELECT n, pg_sleep(0.2), repeat('x', 20000) FROM generate_series(1, 8) AS n")
        assert len(await found.fetchall()) == 8


async def test_a_statement_may_be_given_longer(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database) as conn:
        with conn.silent_for(10):
            await conn.execute("SELECT pg_sleep(1)")
        with pytest.raises(ReadTimeoutError):
            await conn.execute("SELECT pg_sleep(1)")


async def test_no_longer_than_the_connection_allows(proxy: Proxy, database: Database) -> None:
    conn = await Connection.connect(proxy.through(database.url), autocommit=True, max_read_timeout=SOON)
    with conn.silent_for(60), pytest.raises(ReadTimeoutError):
        await conn.execute("SELECT pg_sleep(2)")


async def test_an_answer_that_came_while_the_process_stood_still_counts(proxy: Proxy, database: Database) -> None:
    conn = await Connection.connect(database.url, autocommit=True, read_timeout=SOON)
    asking = asyncio.create_task(conn.execute("SELECT pg_sleep(0.2)"))
    await asyncio.sleep(0.1)
    time.sleep(3 * SOON)  # noqa: ASYNC251 - that is the fault
    await asking
    await conn.close()


async def test_notifications_may_be_long_in_coming(proxy: Proxy, database: Database) -> None:
    async with _connected(proxy, database) as conn:
        await conn.execute("LISTEN nobody")
        assert [each async for each in conn.notifies(timeout=3 * SOON)] == []
        assert await (await conn.execute("SELECT 1")).fetchone() == (1,)


async def test_connecting_to_what_accepts_and_never_answers_ends(proxy: Proxy, database: Database) -> None:
    proxy.hang()
    async with _ends_within(4):
        with pytest.raises(psycopg.OperationalError):
            await Connection.connect(proxy.through(database.url), connect_timeout=2)


async def test_resolving_a_name_ends(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.connection.RESOLVE_TIMEOUT", 0.1)
    loop = asyncio.get_running_loop()

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(loop, "getaddrinfo", never)
    async with _ends_within(4):
        with pytest.raises(psycopg.OperationalError):
            await Connection.connect("host=db.example", connect_timeout=2)
