"""How many write, as the sweeps find it.

Invariant: it rises by what is found and falls with time alone. One sweep counts for little however much it finds: a transaction
of a million rows rings once, and so is no reason to relieve anybody.
"""

import math

_MEMORY = 0.1
"""Seconds after which a third is left."""
_HIGH = 20.0
"""Reached by 200 writes a second, in some 20 ms by 1,000 a second; never by one person, nor by 20 writes a second."""
_LOW = 5.0
_LONG = 1.0
"""Seconds for which it must stay low."""
_MOST = 8
"""Changes of one sweep that count."""


class Load:
    """Times are those of one monotonic clock, given by the caller."""

    def __init__(self) -> None:
        self._level = 0.0
        self._at = 0.0
        self._last_high = -math.inf

    def add(self, found: int, now: float) -> None:
        """Note what a sweep has found."""
        self._level = self._now(now) + min(found, _MOST)
        self._at = now
        if self._level >= _LOW:
            self._last_high = now

    def high(self, now: float) -> bool:
        """Whether so many write that their bells hold them up."""
        return self._now(now) >= _HIGH

    def low(self, now: float) -> bool:
        """Whether there has been little for a while."""
        return now - self._last_high > _LONG

    def _now(self, now: float) -> float:
        return self._level * math.exp((self._at - now) / _MEMORY)
