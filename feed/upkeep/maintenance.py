"""Maintenance of the log: creates partitions ahead of time, switches to them, drops old ones, and seals what was written.

Invariant: any number of instances may do this at once. Each step is a short transaction of its own and is done by one of them. A
step that is not possible now (the log is in use) is retried later, and no writer waits for it longer than feed.maintain() allows.
No writer waits for feed.seal().
"""

import asyncio
import math

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db.changelog import retention, seals
from db.connection import PsycopgConnection
from feed.system.database import Pool
from feed.system.tasks import BackgroundTask
from feed.telemetry.runtime_gauges import RuntimeGauges

_INTERVAL = 60.0
"""Seconds between rounds."""
STEP_TIMEOUT = 600.0
"""Seconds that a step may take: before an old partition is dropped, its rows are examined."""
_SEALING = 60.0
"""Seconds of a round in which the log is sealed, if there is so much to seal."""

log = structlog.get_logger()


class Maintenance(BackgroundTask):
    task_name = "maintenance"

    def __init__(self, pool: Pool, gauges: RuntimeGauges) -> None:
        self._pool = pool
        self._gauges = gauges

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(2 * STEP_TIMEOUT), self._pool.connection() as conn:
                    with conn.silent_for(STEP_TIMEOUT):
                        while (step := await retention.maintain(conn)) is not None:
                            log.info("log maintenance step done", step=step)
                        await _seal(conn)
                    self._gauges.set_database_measures(*await retention.log_stats(conn))
            except (psycopg.Error, PoolTimeout, TimeoutError) as error:
                log.warning("log maintenance failed; retrying", error=str(error))
                self._gauges.set_database_measures(math.nan, math.nan, math.nan)
            await asyncio.sleep(_INTERVAL)


async def _seal(conn: PsycopgConnection) -> None:
    """Seal what was written. What is left when the time is up is sealed in the next round."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _SEALING
    while await seals.seal(conn) and clock() < deadline:
        pass
