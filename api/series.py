"""The last day of what the database does not remember: kept in memory, so that a page opened after the trouble shows it.

Invariant: a fixed number of points, one each ten seconds; a moment at which nothing could be read is a gap, never a guess.
"""

import asyncio
import time
from collections import deque
from typing import NamedTuple

import psycopg
import structlog
from sqlalchemy import exc

from api.watch import Watch
from db import dba
from feed.system.tasks import end

STEP = 10.0
_DAY = 8_640

_log = structlog.get_logger("api")


class Point(NamedTuple):
    at: float
    queue: float | None
    log_bytes: int | None
    connections: int | None


class Gauges:
    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.points: deque[Point] = deque(maxlen=_DAY)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="gauges")

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)
            self._task = None

    async def take(self) -> Point:
        """Read them once, and keep it."""
        try:
            async with self._watch.reading() as conn:
                found: tuple[float | None, int | None, int | None] = await dba.gauges(conn)
        except (psycopg.Error, exc.SQLAlchemyError, TimeoutError) as error:
            _log.info("the gauges cannot be read", error=str(error).strip())
            found = (None, None, None)
        point = Point(time.time(), *found)
        self.points.append(point)
        return point

    async def _run(self) -> None:
        while True:
            await self.take()
            await asyncio.sleep(STEP)
