"""How much was written and delivered at each time, for the charts of the DBA's page.

Invariant: the cost of a query does not depend on the number of changes in its period: it reads only a sample of each
interval.
"""

from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db.sqlfiles import sql

_ROWS = 200
"""Rows of the log that are read for each interval."""
_PASSES = 30
"""Read passes whose delay is computed for each interval."""


class Writes(NamedTuple):
    """What was written in the interval that begins at `at`; an estimate if it was more than the sample."""

    at: int
    changes: float
    transactions: float
    notified: float


class Deliveries(NamedTuple):
    """What was delivered in an interval, and the seconds from the write until all connected clients were sent it."""

    at: int
    deliveries: float
    median: float | None
    p95: float | None
    slowest: float | None


async def read_writes(conn: AsyncConnection, since: int, until: int, step: int) -> list[Writes]:
    """What was written in each `step` seconds between two times (seconds since 1970)."""
    found = await conn.exec_driver_sql(
        sql("queries/dba_writes"), {"since": since, "until": until, "step": step, "sample": _ROWS}
    )
    return [_estimated(interval) for interval in found]


async def read_deliveries(conn: AsyncConnection, since: int, until: int, step: int) -> list[Deliveries]:
    """What the instances delivered in each `step` seconds between two times, and how soon. They keep an hour of it."""
    found = await conn.exec_driver_sql(
        sql("queries/dba_deliveries"), {"since": since, "until": until, "step": step, "sample": _PASSES}
    )
    shares = ((row, row.shares or (None, None)) for row in found)
    return [Deliveries(row.at, row.deliveries, median, p95, row.slowest) for row, (median, p95) in shares]


def _estimated(interval: Row[Any]) -> Writes:
    # Numbers of rolled-back writes are missing in the sample. The estimate assumes the same share of them in the rest.
    if not interval.looked:
        return Writes(interval.at, 0, 0, 0)
    factor = 1.0 if interval.looked < _ROWS else interval.numbers / interval.span
    return Writes(interval.at, interval.looked * factor, interval.transactions * factor, interval.notified * factor)
