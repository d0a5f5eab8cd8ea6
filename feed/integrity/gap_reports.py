"""Reports that somebody holds other rows of a board than its checkpoint says.

Invariant: one report at a time is looked into, however many there are: the next one mostly lacks the same, and that is known by
then.
"""

import asyncio

import structlog

from db import gaps
from db.gaps import Held
from feed.system.database import Pool
from feed.telemetry.metrics import Metrics

_WAITING = 100
"""Reports that wait; what more are is not news."""
_PATIENCE = 10.0
REPORT_TIMEOUT = 8.0
"""Seconds in which the database must find the suspected cause."""

log = structlog.get_logger()


class GapReports:
    def __init__(self, pool: Pool, instance: str, metrics: Metrics) -> None:
        self._pool = pool
        self._instance = instance
        self._metrics = metrics
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def report(
        self, user: str | None, connection: str | None, board: str, cursor: str, expected: Held, held: Held
    ) -> None:
        """Note it, unless it was said a moment ago. Raises psycopg.Error, PoolTimeout, TimeoutError."""
        if self._waiting >= _WAITING:
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(_PATIENCE), self._turn, self._pool.connection() as conn:
                conn.read_timeout = REPORT_TIMEOUT
                cause = await gaps.report(conn, self._instance, user, connection, board, cursor, expected, held)
        finally:
            self._waiting -= 1
        if cause is not None:
            self._metrics.gaps.labels(cause).inc()
            log.warning(
                "a board is not what it has to be: see feed.gaps",
                board=board,
                cause=cause,
                user=user,
                connection=connection,
            )
