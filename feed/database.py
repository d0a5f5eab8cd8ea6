"""Connections of the feed to PostgreSQL, and what must be true of the server before anything is served from it.

Invariant: a connection whose other end is gone is noticed within seconds, on both ends. Keepalives see a connection that only
reads, tcp_user_timeout one that writes; the server's own are set too, so that no ghost of us pins its NOTIFY queue.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from psycopg import AsyncConnection, conninfo
from psycopg_pool import AsyncConnectionPool

from db.changelog import Connection
from db.sqlfiles import sql

T = TypeVar("T")
Pool = AsyncConnectionPool[Connection]

_OLDEST = 150_000


class NotReadyError(Exception):
    """The server cannot feed anybody, and trying again will not help: the message says what to do."""


def dsn(url: str | None, application: str) -> str:
    """The connection string for one of our connections; an empty url leaves it to libpq's environment."""
    given = conninfo.conninfo_to_dict(url or "")
    ours: dict[str, Any] = {
        "application_name": application,
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
        "options": "-c TimeZone=UTC -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
        "-c tcp_user_timeout=10000 -c idle_in_transaction_session_timeout=60s -c jit=off",
    }
    return conninfo.make_conninfo(**{**ours, **{key: value for key, value in given.items() if value is not None}})


async def connect(url: str | None, application: str) -> Connection:
    """An autocommit connection. Raises psycopg.OperationalError."""
    return await AsyncConnection.connect(dsn(url, application), autocommit=True)


def pool(url: str | None, application: str, size: int) -> Pool:
    """A pool of autocommit connections, not opened yet."""
    return AsyncConnectionPool(
        dsn(url, application), min_size=1, max_size=size, open=False, timeout=10, kwargs={"autocommit": True}
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
