"""What only a client can know of a connection: who answers on it, what it carries, how the clocks differ.

Invariant: nothing is left on the server but a NOTIFY that nobody listens to; what is tried ends within seconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from ipaddress import ip_address
from typing import NamedTuple
from uuid import uuid4

from psycopg import sql

from cli.failures import DATABASE, FailureError
from db import connection
from db.changelog import Connection
from feed.system.database import dsn

_NAME = "boardcast-doctor"
_REACH = 10.0
"""Seconds in which a server must be reached."""
READ_TIMEOUT = 10.0
"""Seconds of silence after which it is given up."""
_HEAR = 3.0
"""Seconds in which a NOTIFY must be heard."""
_ROUNDS = 5
_LOOKS = 5


class Clock(NamedTuple):
    """Seconds by which the server's is ahead of ours, give or take `bound`."""

    ahead: float
    bound: float


@asynccontextmanager
async def opened(url: str, *, primary: bool = True) -> AsyncIterator[Connection]:
    """A connection that keeps no state, as a pooler passes it. Raises psycopg.OperationalError, FailureError."""
    address = dsn(url, _NAME, primary=primary)
    connecting = connection.Connection.connect(
        address, autocommit=True, prepare_threshold=None, read_timeout=READ_TIMEOUT
    )
    try:
        async with asyncio.timeout(_REACH):
            conn = await connecting
    except TimeoutError:
        raise FailureError(DATABASE, f"the database does not answer within {_REACH:.0f} s") from None
    async with conn:
        yield conn


def elsewhere(conn: Connection) -> bool:
    """Whether the other end is another machine."""
    address = conn.info.hostaddr
    return bool(address) and not ip_address(address.partition("%")[0]).is_loopback


async def between(conn: Connection) -> bool:
    """Whether something else than the server answers: a pooler has a process number of its own."""
    return await _backend(conn) != conn.info.backend_pid


async def wanders(conn: Connection, url: str) -> bool:
    """Whether it is transactions that backends serve and not sessions: two share one, or one comes to several."""
    backends = set()
    async with opened(url) as other:
        for _ in range(_ROUNDS):
            mine, others = await _backend(conn), await _backend(other)
            backends.add(mine)
            if mine == others or len(backends) > 1:
                return True
    return False


async def hears(listening: Connection, speaking: Connection) -> float | None:
    """Seconds until the one hears a NOTIFY of the other; None: it does not."""
    channel = sql.Identifier(f"boardcast_doctor_{uuid4().hex[:12]}")
    await listening.execute(sql.SQL("LISTEN {}").format(channel))
    began = time.monotonic()
    await speaking.execute(sql.SQL("NOTIFY {}").format(channel))
    heard = None
    async with aclosing(listening.notifies(timeout=_HEAR, stop_after=1)) as notifications:
        async for _ in notifications:
            heard = time.monotonic() - began
    await listening.execute(sql.SQL("UNLISTEN {}").format(channel))
    return heard


async def clock(conn: Connection) -> Clock:
    """How the server's clock and ours differ, by the quickest of some round trips."""
    looks = []
    for _ in range(_LOOKS):
        before = time.time()
        row = await (await conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8")).fetchone()
        after = time.time()
        if row is not None:
            looks.append(Clock(row[0] - (before + after) / 2, (after - before) / 2))
    return min(looks, key=lambda look: look.bound)


async def _backend(conn: Connection) -> int:
    row = await (await conn.execute("SELECT pg_backend_pid()")).fetchone()
    return 0 if row is None else int(row[0])
