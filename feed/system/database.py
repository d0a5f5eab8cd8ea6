"""Connections of the feed to PostgreSQL, and the requirements that the server must meet.

Invariant: if one end of a connection is gone, both ends notice it within seconds. Keepalives detect it on a connection that only
reads, tcp_user_timeout on one that writes, and db/connection.py behind a proxy that acknowledges everything and answers nothing.
The server's own keepalives are set too, so that a dead connection does not hold back its NOTIFY queue.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo
from psycopg_pool import AsyncConnectionPool  # noqa: TID251 - this module adds the deadlines

from db import session
from db.connection import CONNECT_TIMEOUT, READ_TIMEOUT, Connection
from db.readiness import NotReadyError, require_ready

T = TypeVar("T")

POOLER_MESSAGE = (
    "LISTEN receives nothing on this connection: it goes through a pooler in transaction mode, or to another database "
    "than DATABASE_URL. Set LISTEN_DATABASE_URL to a direct connection"
)

POOL_TIMEOUT = 5.0
"""Seconds to wait for a connection from a pool."""
CLOSE_TIMEOUT = 1.0
"""Seconds that a closing pool waits for connections that it is still opening."""

_RECONNECT_TIMEOUT = 2.0
"""Seconds after which a pool stops retrying a connection; the next request starts over. The pool doubles its retry interval each
time, so after a failover of a minute it would take another minute to try again."""
# A generic plan's cost estimate grows with the log, and would trigger a compilation that takes far longer than the read itself.
_KEEPALIVES = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
# Nothing that is called here is in another schema, so functions that other roles create there are not called.
_DIRECT_OPTIONS = f"-c jit=off -c search_path=pg_catalog -c tcp_user_timeout=10000 {_KEEPALIVES}"


class Pool(AsyncConnectionPool[Connection]):
    """A pool that drops all its older connections when one of them has timed out.

    They use the same proxy, so each of them would probably cost its next user another timeout.
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
            reconnect_timeout=_RECONNECT_TIMEOUT,
            **options,
        )
        self._read_timeout = read_timeout
        self._drained_at = -1.0

    async def putconn(self, conn: Connection) -> None:
        conn.read_timeout = self._read_timeout
        await super().putconn(conn)
        if conn.timed_out and conn.since > self._drained_at and not self.closed:
            self._drained_at = monotonic()
            await self.drain()

    async def close(self, timeout: float = CLOSE_TIMEOUT) -> None:  # noqa: ASYNC109 - the pool's own signature
        await super().close(timeout)


def dsn(url: str | None, application: str, options: str = "", *, primary: bool = True) -> str:
    """The connection string for one of our connections. Without a url, libpq's environment variables apply."""
    params = {key: value for key, value in conninfo.conninfo_to_dict(url or "").items() if value is not None}
    defaults: dict[str, Any] = {
        "application_name": application,
        "connect_timeout": CONNECT_TIMEOUT,
        "keepalives": 1,
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
    }
    if primary and "," in str(params.get("host", "")):
        # A cursor must never be made on a standby. If several hosts are given, use the primary.
        defaults["target_session_attrs"] = "read-write"
    if options:
        params["options"] = f"{params.get('options', session.inherited_options())} {options}".lstrip()
    return conninfo.make_conninfo(**{**defaults, **params})


async def connect(url: str | None, application: str, *, read_timeout: float = READ_TIMEOUT) -> Connection:
    """A long-lived direct connection to a database that is ready: autocommit, prepares each statement.

    Raises psycopg.Error and NotReadyError.
    """
    try:
        conn = await Connection.connect(
            dsn(url, application, _DIRECT_OPTIONS), autocommit=True, prepare_threshold=0, read_timeout=read_timeout
        )
    except psycopg.OperationalError as error:
        if "unsupported startup parameter" in str(error):
            raise NotReadyError(POOLER_MESSAGE) from error
        raise
    await _require_ready(conn)
    return conn


async def _require_ready(conn: Connection) -> None:
    """Close the connection and raise NotReadyError if its database is not one that this version can use."""
    try:
        await require_ready(conn)
    except BaseException:
        await conn.close()
        raise


def pool(url: str | None, application: str, size: int) -> Pool:
    """An unopened pool of autocommit connections. They keep no state, so they may go through a transaction pooler."""
    return Pool(
        dsn(url, application),
        size,
        read_timeout=READ_TIMEOUT,
        max_read_timeout=math.inf,
        prepare=None,
        configure=_require_ready,
    )


def direct_pool(
    url: str,
    application: str,
    size: int,
    configure: Callable[[Connection], Awaitable[None]],
    *,
    max_read_timeout: float = math.inf,
) -> Pool:
    """An unopened pool of direct connections. Each is configured once, and prepares its statements."""
    return Pool(
        dsn(url, application, _DIRECT_OPTIONS, primary=False),
        size,
        read_timeout=READ_TIMEOUT,
        max_read_timeout=max_read_timeout,
        prepare=0,
        configure=configure,
    )


async def iterate_with_timeout(items: AsyncIterator[T], seconds: float) -> AsyncIterator[T]:
    """Yield the items; raise TimeoutError if one takes longer than this many seconds."""
    while True:
        async with asyncio.timeout(seconds):
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
        yield item
