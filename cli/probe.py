"""What only a client can find out about a connection: who answers, whether NOTIFY arrives, how far the clocks differ.

Invariant: nothing remains on the server, and each probe ends within seconds.
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
from db import connection, sqlfiles
from db.connection import PsycopgConnection
from feed.system.database import dsn

_NAME = "boardcast-doctor"
_CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 10.0
"""Seconds without data from the server after which a probe gives up."""
_NOTIFY_TIMEOUT = 3.0
_POOLING_SAMPLES = 5
_CLOCK_SAMPLES = 5


class ClockOffset(NamedTuple):
    """Seconds by which the server's clock is ahead of ours, give or take `error`."""

    ahead: float
    error: float


@asynccontextmanager
async def opened(url: str, *, primary: bool = True) -> AsyncIterator[PsycopgConnection]:
    """A connection that works through a pooler, since it keeps no state. Raises psycopg.OperationalError, FailureError.

    It has the settings of its role and database, which are to be checked.
    """
    address = dsn(url, _NAME, primary=primary)
    connecting = connection.Connection.connect(
        address, autocommit=True, prepare_threshold=None, read_timeout=READ_TIMEOUT, own_settings=False
    )
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            conn = await connecting
    except TimeoutError:
        raise FailureError(DATABASE, f"no answer from the database within {_CONNECT_TIMEOUT:.0f} s") from None
    async with conn:
        yield conn


def is_remote(conn: PsycopgConnection) -> bool:
    """Whether the other end is another machine."""
    address = conn.info.hostaddr
    return bool(address) and not ip_address(address.partition("%")[0]).is_loopback


async def has_pooler(conn: PsycopgConnection) -> bool:
    """Whether a pooler answers: it reports a process id of its own."""
    return await _backend_pid(conn) != conn.info.backend_pid


async def is_transaction_pooled(conn: PsycopgConnection, url: str) -> bool:
    """Whether backends serve transactions and not sessions: two sessions share a backend, or one uses several."""
    backends = set()
    async with opened(url) as other:
        for _ in range(_POOLING_SAMPLES):
            mine, others = await _backend_pid(conn), await _backend_pid(other)
            backends.add(mine)
            if mine == others or len(backends) > 1:
                return True
    return False


async def notify_delay(listener: PsycopgConnection, sender: PsycopgConnection) -> float | None:
    """Seconds until `listener` receives a NOTIFY of `sender`; None if it does not."""
    channel = sql.Identifier(f"boardcast_doctor_{uuid4().hex[:12]}")
    await listener.execute(sql.SQL("LISTEN {}").format(channel))
    began = time.monotonic()
    await sender.execute(sql.SQL("NOTIFY {}").format(channel))
    delay = None
    async with aclosing(listener.notifies(timeout=_NOTIFY_TIMEOUT, stop_after=1)) as notifications:
        async for _ in notifications:
            delay = time.monotonic() - began
    await listener.execute(sql.SQL("UNLISTEN {}").format(channel))
    return delay


async def clock_offset(conn: PsycopgConnection) -> ClockOffset:
    """How the server's clock differs from ours, measured in the fastest of several round trips."""
    samples = []
    for _ in range(_CLOCK_SAMPLES):
        before = time.time()
        row = await (await conn.execute(sqlfiles.sql("queries/server_clock"))).fetchone()
        after = time.time()
        if row is not None:
            samples.append(ClockOffset(row[0] - (before + after) / 2, (after - before) / 2))
    return min(samples, key=lambda sample: sample.error)


async def _backend_pid(conn: PsycopgConnection) -> int:
    row = await (await conn.execute(sqlfiles.sql("queries/backend_pid"))).fetchone()
    return 0 if row is None else int(row[0])
