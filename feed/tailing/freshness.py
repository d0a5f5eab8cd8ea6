"""Whether this instance still knows what is in the log.

Invariant: an instance that has not read the log for `STALE` seconds is not ready and sends no heartbeats: a client that hears one
believes that it is up to date. Both are true again with the next read.
"""

import time

import structlog

from db.settings import Settings
from feed.tailing.tailer import Tailer

STALE = 5.0
"""Seconds without a read of the log; longer only where the log is read less often than every two seconds."""
_READS = 3
"""Missed reads that are no accident."""

log = structlog.get_logger()


class Freshness:
    def __init__(self, settings: Settings, tailer: Tailer) -> None:
        self._tailer = tailer
        self._limit = max(STALE, _READS * settings.sweep)
        self._since = time.monotonic()
        self._reported = True

    def start(self) -> None:
        """Count from now; the first read is still to come."""
        self._since = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the log was last read to its end, or since the start."""
        idle = self._tailer.idle
        return time.monotonic() - self._since if idle is None else idle

    @property
    def fresh(self) -> bool:
        return self.age < self._limit

    def report(self) -> None:
        """Log each change. To be called every second or so."""
        if self.fresh is self._reported:
            return
        self._reported = self.fresh
        if self.fresh:
            log.info("log is read again; instance can be ready, heartbeats resume")
        else:
            log.warning("log not read; instance is not ready, heartbeats stop", seconds=round(self.age, 1))
