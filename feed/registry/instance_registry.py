"""Keeps this process in the database's list of running instances, for the people who operate it.

Invariant: no other code waits for this or depends on it. A report that cannot be written is missing from a view, and no client is
affected.
"""

import asyncio
from collections.abc import Callable

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import instances
from db.connection import PsycopgConnection
from db.instances import InstanceStatus
from feed.registry.delivery_journal import DeliveryJournal, with_ages
from feed.system.database import Pool
from feed.system.tasks import BackgroundTask

_REPORT_INTERVAL = 2.0
"""Seconds between reports. An instance without one for ten seconds is considered dead; see db/sql/views/instance_status.sql."""
LEAVE_TIMEOUT = 2.0

log = structlog.get_logger()


class InstanceRegistry(BackgroundTask):
    """Writes the result of `status()` at each interval, together with the entries of the journal."""

    task_name = "instance registry"

    def __init__(self, pool: Pool, status: Callable[[], InstanceStatus], journal: DeliveryJournal) -> None:
        self._pool = pool
        self._status = status
        self._journal = journal

    async def stop(self) -> None:
        """Remove the row. Idempotent; complete when it returns."""
        if self._task is None:
            return
        await super().stop()
        self._task = None
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT), self._pool.connection() as conn:
                await self._report(conn)
                await instances.remove(conn, self._status().instance)
        except (psycopg.Error, PoolTimeout, TimeoutError):
            log.info("instance list not reachable; the entry will expire")

    async def _run(self) -> None:
        reachable = True
        while True:
            try:
                async with self._pool.connection() as conn:
                    await self._report(conn)
                reachable = True
            except (psycopg.Error, PoolTimeout) as error:
                if reachable:
                    log.warning("instance list not reachable; retrying", error=str(error).strip())
                reachable = False
            await asyncio.sleep(_REPORT_INTERVAL)

    async def _report(self, conn: PsycopgConnection) -> None:
        entries = self._journal.take()
        try:
            await instances.report(conn, self._status(), with_ages(entries))
        except BaseException:
            self._journal.restore(entries)
            raise
