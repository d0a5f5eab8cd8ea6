"""The last hour of what the database does not remember: kept in memory, so that a page opened after the trouble shows it.

Invariant: a fixed number of points, one each ten seconds; a moment at which nothing could be read is a gap, never a guess.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import psycopg
import structlog
from sqlalchemy import exc

from api.watch import Watch
from db import dba
from feed.tasks import end

STEP = 10.0
_HOUR = 360

_log = structlog.get_logger("api")


class Point(NamedTuple):
    at: float
    queue: float | None
    log_bytes: int | None
    connections: int | None
    delays: tuple[float | None, float | None, float | None]
    """Seconds from a write to this process having told it: the median, the 95th and the 99th of a hundred."""


class Gauges:
    """`delays` gives the counts of a histogram, which only grow, with its bounds; None in a process that follows no log."""

    def __init__(self, watch: Watch, delays: Callable[[], tuple[Sequence[float], Sequence[int]]] | None) -> None:
        self._watch = watch
        self._delays = delays
        self._counts: Sequence[int] = ()
        self.points: deque[Point] = deque(maxlen=_HOUR)
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
        point = Point(time.time(), *found, self._slowness())
        self.points.append(point)
        return point

    async def _run(self) -> None:
        while True:
            await self.take()
            await asyncio.sleep(STEP)

    def _slowness(self) -> tuple[float | None, float | None, float | None]:
        if self._delays is None:
            return (None, None, None)
        bounds, counts = self._delays()
        new = [count - before for count, before in zip(counts, self._counts or [0] * len(counts), strict=True)]
        self._counts = counts
        return quantile(bounds, new, 0.5), quantile(bounds, new, 0.95), quantile(bounds, new, 0.99)


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """Of counts between bounds, interpolated as histogram_quantile() does; above the last bound that bound. None: of none."""
    total, below, seen = sum(counts), 0.0, 0.0
    if not total:
        return None
    for bound, count in zip(bounds, counts, strict=False):
        if seen + count >= share * total:
            return below + (bound - below) * (share * total - seen) / count
        seen += count
        below = bound
    return bounds[-1]
