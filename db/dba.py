"""The state of the feed at one moment, for the DBA's page.

Invariant: the cost of a query here does not grow with the log. It ends after a few seconds at the latest, and changes nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.engine import snapshot
from db.sqlfiles import sql


class Gauges(NamedTuple):
    """The NOTIFY queue's share in use, the size of the log, the open streams of all instances."""

    queue: float
    log_bytes: int
    connections: int


@asynccontextmanager
async def bounded_read(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a read of one snapshot that may not write, and each statement of which is bounded in time."""
    async with snapshot(engine) as conn:
        await conn.exec_driver_sql(sql("queries/dba_bounded"))
        yield conn


async def overview(conn: AsyncConnection) -> str:
    """Read the page's tables, as JSON."""
    return str((await conn.exec_driver_sql(sql("queries/dba_overview"))).scalar_one())


async def gauges(conn: AsyncConnection) -> Gauges:
    return Gauges._make((await conn.exec_driver_sql(sql("queries/dba_gauges"))).one())
