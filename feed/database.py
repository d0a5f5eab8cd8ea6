"""Connections of the feed to PostgreSQL, and what must be true of the server before anything is served from it.

Invariant: a connection whose other end is gone is noticed within seconds, on both ends. Keepalives see a connection that only
reads, tcp_user_timeout one that writes; the server's own are set too, so that no ghost of us pins its NOTIFY queue.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, conninfo
from psycopg_pool import AsyncConnectionPool

from db.changelog import Connection
from db.sqlfiles import sql

T = TypeVar("T")
Pool = AsyncConnectionPool[Connection]

POOLER = (
    "LISTEN hears nothing on this connection: it goes through a transaction pooler, or to another database than "
    "DATABASE_URL. Set LISTEN_DATABASE_URL to a direct connection"
)

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


def dsn(url: str | None, application: str, options: str = "", *, primary: bool = True) -> str:
    """The connection string for one of our connections; an empty url leaves it to libpq's environment."""
    given = {key: value for key, value in conninfo.conninfo_to_dict(url or "").items() if value is not None}
    ours: dict[str, Any] = {
        "application_name": application,
        "connect_timeout": 5,
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


async def connect(url: str | None, application: str) -> Connection:
    """A direct connection, kept for long: autocommit, each statement prepared. Raises psycopg.OperationalError, NotReadyError."""
    try:
        return await AsyncConnection.connect(dsn(url, application, _DIRECT), autocommit=True, prepare_threshold=0)
    except psycopg.OperationalError as error:
        if "unsupported startup parameter" in str(error):
            raise NotReadyError(POOLER) from error
        raise


def pool(url: str | None, application: str, size: int) -> Pool:
    """A pool, not opened yet, of autocommit connections that may go through a transaction pooler: they keep no state."""
    return AsyncConnectionPool(
        dsn(url, application),
        min_size=1,
        max_size=size,
        open=False,
        timeout=10,
        reconnect_timeout=_GIVEN_UP,
        kwargs={"autocommit": True, "prepare_threshold": None},
    )


def direct_pool(url: str, application: str, size: int, configure: Callable[[Connection], Awaitable[None]]) -> Pool:
    """A pool, not opened yet, of direct connections: each is made ready once, and prepares what it is asked."""
    return AsyncConnectionPool(
        dsn(url, application, _DIRECT, primary=False),
        min_size=1,
        max_size=size,
        open=False,
        configure=configure,
        reconnect_timeout=_GIVEN_UP,
        kwargs={"autocommit": True, "prepare_threshold": 0},
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
