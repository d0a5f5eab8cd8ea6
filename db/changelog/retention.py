"""How long the log is kept: the steps of its maintenance, dropping old partitions by hand, and its size."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from db.connection import PsycopgConnection
from db.sqlfiles import sql


class Dropped(NamedTuple):
    partition: str | None
    """None: nothing was dropped."""
    rows: int | None
    """None: nothing is that old. 0 without a partition: the log is in use."""


class LogStats(NamedTuple):
    """The share of the NOTIFY queue in use, the bytes of the log with its indexes, and the number of its partitions."""

    queue: float
    log_bytes: float
    partitions: float


async def maintain(conn: PsycopgConnection) -> str | None:
    """Do the next step of maintenance, and say what it was. None: there is none, or another session does it."""
    row = await (await conn.execute(sql("queries/maintain"))).fetchone()
    return row[0] if row else None


async def log_stats(conn: PsycopgConnection) -> LogStats:
    row = await (await conn.execute(sql("queries/database_gauges"))).fetchone()
    return LogStats._make(row or (math.nan, math.nan, math.nan))


async def growth(conn: PsycopgConnection) -> int | None:
    """How many bytes a day the log grows by; None if nothing was written yet."""
    row = await (await conn.execute(sql("queries/doctor_growth"))).fetchone()
    return None if row is None or row[0] is None else int(row[0])


async def prune(conn: PsycopgConnection, before: datetime) -> Dropped:
    """Drop the oldest partition that holds nothing newer than `before`; for the owner of schema feed."""
    row = await (await conn.execute(sql("queries/prune"), {"before": before})).fetchone()
    return Dropped._make(row or (None, None))


async def set_retention(conn: PsycopgConnection, age: timedelta) -> None:
    """Set the retention period; for the owner of schema feed."""
    await conn.execute(sql("queries/set_retention"), {"age": age})
