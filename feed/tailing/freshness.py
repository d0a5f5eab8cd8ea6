"""Whether this instance has read the log recently.

Invariant: an instance that has not read the log for `STALE_AFTER` seconds, and has missed three safety reads, is not ready and
sends no heartbeats, because a client that receives one assumes that it is up to date. After the next read, it is ready again
and heartbeats resume.
"""

import time

import structlog

from db.settings import Settings
from feed.tailing.tailer import Tailer

STALE_AFTER = 5.0
"""Seconds without a read of the log. The limit is higher if that many safety reads (see below) take longer."""
_MISSED_READS = 3
"""Safety reads that may be missed before the log counts as unread."""

log = structlog.get_logger()


class Freshness:
    def __init__(self, settings: Settings, tailer: Tailer) -> None:
        self._tailer = tailer
        self._limit = max(STALE_AFTER, _MISSED_READS * settings.read_interval)
        self._started_at = time.monotonic()
        self._reported_fresh = True

    def start(self) -> None:
        """Start the clock; the first read is still to come."""
        self._started_at = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the log was last read to its end, or since the start if it has not been read yet."""
        return min(self._tailer.passes.since_read, time.monotonic() - self._started_at)

    @property
    def is_fresh(self) -> bool:
        return self.age < self._limit

    def report(self) -> None:
        """Log each change of `is_fresh`. Call this about once a second."""
        if self.is_fresh is self._reported_fresh:
            return
        self._reported_fresh = self.is_fresh
        if self.is_fresh:
            log.info("log is read again; instance can be ready, heartbeats resume")
        else:
            log.warning("log not read; instance is not ready, heartbeats stop", seconds=round(self.age, 1))
