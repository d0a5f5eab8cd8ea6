"""This process in the list of those that run, for people who look into the database.

Invariant: nobody waits for it, and nothing depends on it: what is not written is missing in a view, and no client is the worse for
it.
"""

import asyncio
from collections.abc import Callable

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import instances
from db.changelog import Connection
from db.instances import Word
from feed.registry.delivery_journal import DeliveryJournal, aged
from feed.system.database import Pool
from feed.system.tasks import end

_BEAT = 2.0
"""Seconds between words. Who is silent for ten is taken for dead; see db/sql/views/listeners.sql."""
LAST_WORD_TIMEOUT = 2.0

log = structlog.get_logger()


class InstanceRegistry:
    """`word` is asked for what is to be said, each time; and the entries of the journal are written down with it."""

    def __init__(self, pool: Pool, word: Callable[[], Word], journal: DeliveryJournal) -> None:
        self._pool = pool
        self._word = word
        self._journal = journal
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="instance registry")

    async def stop(self) -> None:
        """Take the row away. Idempotent; complete when it returns."""
        if self._task is None:
            return
        await end(self._task)
        self._task = None
        try:
            async with asyncio.timeout(LAST_WORD_TIMEOUT), self._pool.connection() as conn:
                await self._say(conn)
                await instances.leave(conn, self._word().instance)
        except (psycopg.Error, PoolTimeout, TimeoutError):
            log.info("the list of instances cannot be reached; it forgets us by itself")

    async def _run(self) -> None:
        heard = True
        while True:
            try:
                async with self._pool.connection() as conn:
                    await self._say(conn)
                heard = True
            except (psycopg.Error, PoolTimeout) as error:
                if heard:
                    log.warning("the list of instances cannot be reached", error=str(error).strip())
                heard = False
            await asyncio.sleep(_BEAT)

    async def _say(self, conn: Connection) -> None:
        told = self._journal.take()
        try:
            await instances.beat(conn, self._word(), aged(told))
        except BaseException:
            self._journal.give_back(told)
            raise
