"""The last minute: how much was told in it, and how late.

Invariant: it costs the sending path an addition. Where the counts stood is noted once a second, and what the minute held is their
difference.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

from feed.telemetry.histogram import Histogram

WINDOW = 60.0
"""Seconds. From the start of a service on it is as long as that is ago."""
_APART = 1.0


class Mark(NamedTuple):
    """Where the counts stood, by the monotonic clock."""

    at: float
    told: int
    counts: tuple[int, ...]
    seconds: float


class Recent:
    def __init__(self, latencies: Histogram, clock: Callable[[], float] = time.monotonic) -> None:
        self._latencies = latencies
        self._clock = clock
        self.told = 0
        """Messages that have been written to clients, ever: of who writes them."""
        self._marks = deque([self._mark()])

    def look(self) -> None:
        """Note where the counts stand; to be called about once a second."""
        if self._clock() - self._marks[-1].at >= _APART:
            self._marks.append(self._mark())
        while len(self._marks) > 1 and self._marks[1].at <= self._clock() - WINDOW:
            self._marks.popleft()

    def per_second(self) -> float:
        """Messages in a second."""
        then = self._marks[0]
        return (self.told - then.told) / max(self._clock() - then.at, _APART)

    def average(self) -> float:
        """Seconds from a write to the clients' sockets; not a number where nothing was told."""
        now, then = self._mark(), self._marks[0]
        number = sum(now.counts) - sum(then.counts)
        return (now.seconds - then.seconds) / number if number else math.nan

    def quantile(self, share: float) -> float:
        """Seconds in which this share of them was told, within a bucket in proportion; not a number where nothing was."""
        counts = [now - then for now, then in zip(self._mark().counts, self._marks[0].counts, strict=True)]
        rank = share * sum(counts)
        if not rank:
            return math.nan
        bounds = self._latencies.bounds
        place, below = next(
            (place, sum_ - counts[place]) for place, sum_ in enumerate(accumulate(counts)) if sum_ >= rank
        )
        if place == len(bounds):
            return bounds[-1]
        low = bounds[place - 1] if place else 0.0
        return low + (bounds[place] - low) * (rank - below) / counts[place]

    def _mark(self) -> Mark:
        return Mark(self._clock(), self.told, self._latencies.counts, self._latencies.sum)
