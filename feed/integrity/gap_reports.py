"""Reports of clients whose rows of a board differ from its checkpoint.

Invariant: reports are investigated one at a time, however many arrive. The next one usually has the same cause, which is
known by then.
"""

import asyncio

import structlog

from db import gap_reports
from db.gap_reports import BoardDigest
from feed.system.database import Pool
from feed.telemetry.metrics import Metrics

_MAX_WAITING = 100
"""Maximum number of waiting reports; more would add no information."""
_TIMEOUT = 10.0
REPORT_TIMEOUT = 8.0
"""Seconds for the database to find the suspected cause."""

log = structlog.get_logger()


class GapReports:
    def __init__(self, pool: Pool, instance: str, metrics: Metrics) -> None:
        self._pool = pool
        self._instance = instance
        self._metrics = metrics
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def report(
        self,
        user: str | None,
        connection: str | None,
        board: str,
        cursor: str,
        expected: BoardDigest,
        held: BoardDigest,
    ) -> None:
        """Store a report, unless the same was just stored. Raises psycopg.Error, PoolTimeout, TimeoutError."""
        if self._waiting >= _MAX_WAITING:
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(_TIMEOUT), self._lock, self._pool.connection() as conn:
                conn.read_timeout = REPORT_TIMEOUT
                cause = await gap_reports.report(conn, self._instance, user, connection, board, cursor, expected, held)
        finally:
            self._waiting -= 1
        if cause is not None:
            self._metrics.gaps.labels(cause).inc()
            log.warning(
                "board differs from its checkpoint; see feed.gaps",
                board=board,
                cause=cause,
                user=user,
                connection=connection,
            )
