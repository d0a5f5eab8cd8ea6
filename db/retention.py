"""How long the log is kept: steps of its keeping, and forgetting by hand."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from db.changelog import Connection
from db.sqlfiles import sql


class Dropped(NamedTuple):
    partition: str | None
    """None: nothing was dropped."""
    rows: int | None
    """None: nothing is that old. Without a partition, 0: the log is in use."""


class Measures(NamedTuple):
    """The NOTIFY queue's share in use, the bytes of the log with its indexes, and the number of its partitions."""

    queue: float
    log_bytes: float
    partitions: float


async def keep(conn: Connection) -> str | None:
    """Do the next step, and say what it was; None when there is none, or somebody else does it."""
    row = await (await conn.execute(sql("queries/keep"))).fetchone()
    return row[0] if row else None


async def measures(conn: Connection) -> Measures:
    row = await (await conn.execute(sql("queries/measures"))).fetchone()
    return Measures._make(row or (math.nan, math.nan, math.nan))


async def prune(conn: Connection, before: datetime) -> Dropped:
    """Drop the oldest partition that holds nothing newer than `before`; for the owner of schema feed."""
    row = await (await conn.execute(sql("queries/prune"), {"before": before})).fetchone()
    return Dropped._make(row or (None, None))


async def retain(conn: Connection, age: timedelta) -> None:
    """Keep the log for so long from now on; for the owner of schema feed."""
    await conn.execute(sql("queries/retain"), {"age": age})
