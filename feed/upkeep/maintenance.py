"""Who looks after the log: partitions made ahead, begun and dropped, as feed.keep() says.

Invariant: any number of instances may do this at once. Each step is a transaction of its own, short, and done by one of them; what
cannot be done now (the log is in use) is tried again later, and no writer waits for it longer than feed.keep() lets him.
"""

import asyncio
import math

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import retention
from feed.system.database import Pool
from feed.system.tasks import end
from feed.telemetry.runtime_gauges import RuntimeGauges

_EVERY = 60.0
"""Seconds between looks."""
STEP_TIMEOUT = 600.0
"""Seconds that a step may take: the rows of an old partition are looked at before it is dropped."""

log = structlog.get_logger()


class Maintenance:
    def __init__(self, pool: Pool, gauges: RuntimeGauges) -> None:
        self._pool = pool
        self._gauges = gauges
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="maintenance")

    async def stop(self) -> None:
        """Idempotent."""
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(2 * STEP_TIMEOUT), self._pool.connection() as conn:
                    with conn.silent_for(STEP_TIMEOUT):
                        while (done := await retention.keep(conn)) is not None:
                            log.info("the log is kept", step=done)
                    self._gauges.looked(*await retention.measures(conn))
            except (psycopg.Error, PoolTimeout, TimeoutError) as error:
                log.warning("the log is not kept", error=str(error))
                self._gauges.looked(math.nan, math.nan, math.nan)
            await asyncio.sleep(_EVERY)
