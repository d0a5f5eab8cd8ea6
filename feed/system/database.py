"""Connections of the feed to PostgreSQL, and what must be true of the server before anything is served from it.

Invariant: a connection whose other end is gone is noticed within seconds, on both ends. Keepalives see a connection that only
reads, tcp_user_timeout one that writes, and db/connection.py one to a proxy that acknowledges everything and answers nothing; the
server's own keepalives are set too, so that no ghost of us pins its NOTIFY queue.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo
from psycopg_pool import AsyncConnectionPool  # noqa: TID251 - here it is given its deadlines

from db.connection import CONNECT_TIMEOUT, READ_TIMEOUT, Connection
from db.sqlfiles import sql

T = TypeVar("T")

POOLER = (
    "LISTEN hears nothing on this connection: it goes through a transaction pooler, or to another database than "
    "DATABASE_URL. Set LISTEN_DATABASE_URL to a direct connection"
)

POOL_TIMEOUT = 5.0
"""Seconds to wait for a connection of a pool."""
CLOSE_TIMEOUT = 1.0
"""Seconds that a pool waits, when it closes, for connections that it is making."""

_OLDEST = 150_000
_GIVEN_UP = 2.0
"""Seconds after which a pool gives up making a connection, and begins anew with who next wants one. The time between its attempts
doubles each time: after a minute's failover it would be another minute until it looks."""
# A generic plan's estimate grows with the log; compiling it would take far longer than the microseconds that a read takes.
_DIRECT = (
    "-c TimeZone=UTC -c jit=off -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=10000 -c idle_in_transaction_session_timeout=60s"
)


class NotReadyError(Exception):
    """The server cannot feed anybody, and trying again will not help: the message says what to do."""


class Pool(AsyncConnectionPool[Connection]):
    """A pool that drops all its older connections when one of them has timed out.

    They go through the same proxy. Tried one after the other, each would cost its user another timeout.
    """

    def __init__(
        self,
        address: str,
        size: int,
        *,
        read_timeout: float,
        max_read_timeout: float,
        prepare: int | None,
        **options: Any,
    ) -> None:
        super().__init__(
            address,
            connection_class=Connection,
            kwargs={
                "autocommit": True,
                "prepare_threshold": prepare,
                "read_timeout": read_timeout,
                "max_read_timeout": max_read_timeout,
            },
            min_size=1,
            max_size=size,
            open=False,
            timeout=POOL_TIMEOUT,
            reconnect_timeout=_GIVEN_UP,
            **options,
        )
        self._read_timeout = read_timeout
        self._renewed = -1.0

    async def putconn(self, conn: Connection) -> None:
        conn.read_timeout = self._read_timeout
        await super().putconn(conn)
        if conn.timed_out and conn.since > self._renewed and not self.closed:
            self._renewed = monotonic()
            await self.drain()

    async def close(self, timeout: float = CLOSE_TIMEOUT) -> None:  # noqa: ASYNC109 - the pool's own signature
        await super().close(timeout)


def dsn(url: str | None, application: str, options: str = "", *, primary: bool = True) -> str:
    """The connection string for one of our connections; an empty url leaves it to libpq's environment."""
    given = {key: value for key, value in conninfo.conninfo_to_dict(url or "").items() if value is not None}
    ours: dict[str, Any] = {
        "application_name": application,
        "connect_timeout": CONNECT_TIMEOUT,
        "keepalives": 1,
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
    }
    if primary and "," in str(given.get("host", "")):
        # A cursor must never be taken on a standby: of several hosts, the primary.
        ours["target_session_attrs"] = "read-write"
    both = f"{given.pop('options', '')} {options}".strip()
    return conninfo.make_conninfo(**{**ours, **given, **({"options": both} if both else {})})


async def connect(url: str | None, application: str, *, read_timeout: float = READ_TIMEOUT) -> Connection:
    """A direct connection, kept for long: autocommit, each statement prepared. Raises psycopg.OperationalError, NotReadyError."""
    try:
        return await Connection.connect(
            dsn(url, application, _DIRECT), autocommit=True, prepare_threshold=0, read_timeout=read_timeout
        )
    except psycopg.OperationalError as error:
        if "unsupported startup parameter" in str(error):
            raise NotReadyError(POOLER) from error
        raise


def pool(url: str | None, application: str, size: int) -> Pool:
    """A pool, not opened yet, of autocommit connections that may go through a transaction pooler: they keep no state."""
    return Pool(dsn(url, application), size, read_timeout=READ_TIMEOUT, max_read_timeout=math.inf, prepare=None)


def direct_pool(
    url: str,
    application: str,
    size: int,
    configure: Callable[[Connection], Awaitable[None]],
    *,
    max_read_timeout: float = math.inf,
) -> Pool:
    """A pool, not opened yet, of direct connections: each is made ready once, and prepares what it is asked."""
    return Pool(
        dsn(url, application, _DIRECT, primary=False),
        size,
        read_timeout=READ_TIMEOUT,
        max_read_timeout=max_read_timeout,
        prepare=0,
        configure=configure,
    )


async def require_ready(conn: Connection) -> None:
    """Raise NotReadyError for a standby, a database without boardcast, or a PostgreSQL before 15."""
    row = await (await conn.execute(sql("queries/standing"))).fetchone()
    standby, installed, version = row or (False, False, 0)
    if standby:
        raise NotReadyError("the server is a standby: point DATABASE_URL at the primary")
    if version < _OLDEST:
        raise NotReadyError(f"PostgreSQL {version // 10_000} is too old: boardcast needs 15 or newer")
    if not installed:
        raise NotReadyError("boardcast is not installed in this database: run `boardcast migrate`")


async def patiently(items: AsyncIterator[T], seconds: float) -> AsyncIterator[T]:
    """The items, each of which must come within some seconds. Raises TimeoutError."""
    while True:
        async with asyncio.timeout(seconds):
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
        yield item
