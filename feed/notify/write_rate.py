"""An estimate of how many transactions write, from what each read pass finds.

Invariant: the rate rises with the changes found and falls only with time. A pass adds little, however much it finds: a
transaction of a million rows sends one NOTIFY, so it is no reason to notify on behalf of the writers.
"""

import math

_SHORT_SECONDS, _SHORT_HIGH = 0.1, 20.0
"""Time constant of the short average in seconds, and its high mark: 200 writes a second, noticed within 20 ms at 1,000 a second."""
_LONG_SECONDS, _LONG_HIGH = 1.0, 75.0
"""The same for load that lasts seconds: if a commit takes 10 ms, writers that notify cannot exceed 100 a second."""
_SHORT_LOW = 5.0
"""Low mark of the short average: 50 writes a second."""
_LOW_SECONDS = 1.0
"""Seconds that the short average must stay below its low mark."""
_MAX_PER_PASS = 4
"""Limit on the changes that one pass adds."""


class WriteRate:
    """Times come from one monotonic clock, passed in by the caller."""

    def __init__(self) -> None:
        self._short = 0.0
        self._long = 0.0
        self._at = 0.0
        self._last_busy = -math.inf

    def add(self, found: int, now: float) -> None:
        """Add the changes that a pass found."""
        self._decay(now)
        self._short += min(found, _MAX_PER_PASS)
        self._long += min(found, _MAX_PER_PASS)
        if self._short >= _SHORT_LOW:
            self._last_busy = now

    def is_high(self, now: float) -> bool:
        """Whether so many transactions write that sending NOTIFY may slow them down."""
        self._decay(now)
        return not self.is_low(now) and (self._short >= _SHORT_HIGH or self._long >= _LONG_HIGH)

    def is_low(self, now: float) -> bool:
        """Whether few have been writing for a while."""
        return now - self._last_busy > _LOW_SECONDS

    def _decay(self, now: float) -> None:
        self._short *= math.exp((self._at - now) / _SHORT_SECONDS)
        self._long *= math.exp((self._at - now) / _LONG_SECONDS)
        self._at = now
