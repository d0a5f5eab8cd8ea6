"""What the DBA's page shows beside the log: the feed's state at one moment, and how much was written when.

Invariant: nothing here grows with the log. Who reads may wait a few seconds at most, and changes nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.engine import snapshot
from db.sqlfiles import sql

_SAMPLE = 200
"""Rows of the log that are looked at in each piece of a time."""
_SWEEPS = 30
"""Sweeps whose delay is worked out in each piece of a time."""


class Gauges(NamedTuple):
    """The NOTIFY queue's share in use, the size of the log, the open streams of all instances."""

    queue: float
    log_bytes: int
    connections: int


class Written(NamedTuple):
    """What was written in a piece of a time that begins at `at`; estimated where it was much."""

    at: int
    changes: float
    transactions: float
    rang: float


class Told(NamedTuple):
    """What was told in a piece of a time, and the seconds from the write to all who were connected."""

    at: int
    deliveries: float
    median: float | None
    p95: float | None
    slowest: float | None


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a read that cannot be a load: of one moment, without a right to write, and each statement bounded in time."""
    async with snapshot(engine) as conn:
        await conn.exec_driver_sql(sql("queries/dba_bounded"))
        yield conn


async def overview(conn: AsyncConnection) -> str:
    """Read what is in the page's tables, as JSON."""
    return str((await conn.exec_driver_sql(sql("queries/dba_overview"))).scalar_one())


async def gauges(conn: AsyncConnection) -> Gauges:
    return Gauges._make((await conn.exec_driver_sql(sql("queries/dba_gauges"))).one())


async def written(conn: AsyncConnection, since: int, until: int, step: int) -> list[Written]:
    """Tell how much was written in each `step` seconds between two times (seconds since 1970)."""
    found = await conn.exec_driver_sql(
        sql("queries/dba_writes"), {"since": since, "until": until, "step": step, "sample": _SAMPLE}
    )
    return [_estimated(piece) for piece in found]


async def told(conn: AsyncConnection, since: int, until: int, step: int) -> list[Told]:
    """Tell how much the instances told in each `step` seconds between two times, and how soon; they remember an hour."""
    found = await conn.exec_driver_sql(
        sql("queries/dba_told"), {"since": since, "until": until, "step": step, "sample": _SWEEPS}
    )
    shares = ((row, row.shares or (None, None)) for row in found)
    return [Told(row.at, row.deliveries, median, p95, row.slowest) for row, (median, p95) in shares]


def _estimated(piece: Row[Any]) -> Written:
    # Numbers of what was rolled back are missing among those that were looked at, and so, it is taken, among the others.
    if not piece.looked:
        return Written(piece.at, 0, 0, 0)
    times = 1.0 if piece.looked < _SAMPLE else piece.numbers / piece.span
    return Written(piece.at, piece.looked * times, piece.transactions * times, piece.rang * times)
