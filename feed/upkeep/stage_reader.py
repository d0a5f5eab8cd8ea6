"""Keeps the changes of stages, and which cards are won or lost, up to date with the log, whichever program wrote to it.

Invariant: any number of instances may do this at once. Each call is a transaction of its own and is done by one of them.
Writers neither wait for it nor pay for it.
"""

import asyncio

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db.changelog.stages import read_stage_changes
from feed.system.database import Pool
from feed.system.tasks import BackgroundTask
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import Cursor

_INTERVAL = 1.0
"""Seconds between rounds."""
_RETRY_DELAY = 5.0
STEP_TIMEOUT = 60.0
"""Seconds that a call may take: a transaction is read in one, however large it is."""
_TRANSIENT = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE that say that the server or the network is at fault."""

log = structlog.get_logger()


class StageReader(BackgroundTask):
    task_name = "stage reader"

    def __init__(self, pool: Pool, tailer: Tailer, metrics: Metrics) -> None:
        self._pool = pool
        self._metrics = metrics
        self._tailer = tailer
        self._read: Cursor | None = None

    async def _run(self) -> None:
        while True:
            delay = _INTERVAL
            if (head := self._tailer.head) != self._read:
                try:
                    await self._catch_up()
                    self._read = head
                except (psycopg.Error, PoolTimeout, TimeoutError) as error:
                    self._report(error)
                    delay = _RETRY_DELAY
            await asyncio.sleep(delay)

    def _report(self, error: Exception) -> None:
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        if state is None or state[:2] in _TRANSIENT:
            log.warning("changes of stages not read; retrying", error=str(error))
        else:  # it may never succeed
            self._metrics.task_failures.labels(self.task_name).inc()
            log.error("changes of stages cannot be read; retrying", exc_info=error)

    async def _catch_up(self) -> None:
        async with asyncio.timeout(2 * STEP_TIMEOUT), self._pool.connection() as conn:
            with conn.silent_for(STEP_TIMEOUT):
                more = True
                while more:
                    more = await read_stage_changes(conn)
