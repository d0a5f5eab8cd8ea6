"""How many transactions write, estimated from what each read pass finds.

Invariant: the rate rises with what is found and falls with time alone. One pass counts for little however much it
finds: a transaction of a million rows notifies once, so it is no reason to take over from the writers.
"""

import math

_SHORT, _MANY = 0.1, 20.0
"""Seconds after which a third is left, and how much is many: 200 writes a second, noticed in some 20 ms if they are 1,000."""
_LONG, _STEADY = 1.0, 75.0
"""The same for what goes on for seconds: where a commit takes 10 ms, writers that notify cannot be more than a hundred a second."""
_LOW = 5.0
"""How much is little, by the short memory: 50 writes a second."""
_QUIET = 1.0
"""Seconds for which it must be so."""
_MOST = 4
"""Changes of one pass that count."""


class WriteRate:
    """Times are those of one monotonic clock, given by the caller."""

    def __init__(self) -> None:
        self._short = 0.0
        self._long = 0.0
        self._at = 0.0
        self._last = -math.inf

    def add(self, found: int, now: float) -> None:
        """Note what a pass has found."""
        self._fade(now)
        self._short += min(found, _MOST)
        self._long += min(found, _MOST)
        if self._short >= _LOW:
            self._last = now

    def high(self, now: float) -> bool:
        """Whether so many write that their bells may hold them up."""
        self._fade(now)
        return not self.low(now) and (self._short >= _MANY or self._long >= _STEADY)

    def low(self, now: float) -> bool:
        """Whether there has been little for a while."""
        return now - self._last > _QUIET

    def _fade(self, now: float) -> None:
        self._short *= math.exp((self._at - now) / _SHORT)
        self._long *= math.exp((self._at - now) / _LONG)
        self._at = now
