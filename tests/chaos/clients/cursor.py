"""A cursor as docs/protocol.md describes it: the set of transactions that its holder has seen."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate


@dataclass(frozen=True)
class Cursor:
    """The fields that coverage needs; only the service uses the others."""

    text: str
    feed: str
    xmax: int
    xip: frozenset[int]

    @property
    def xmin(self) -> int:
        return min(self.xip, default=self.xmax)

    def covers_xid(self, xid: int) -> bool:
        return xid < self.xmax and xid not in self.xip

    def covers(self, other: "Cursor") -> bool:
        """Whether this cursor covers everything that `other` covers. Meaningless between different feeds."""
        return other.xmax <= self.xmax and all(xid in other.xip for xid in self.xip if xid < other.xmax)


@lru_cache(maxsize=65536)
def parse(text: str) -> Cursor:
    """Parse the fields that the protocol documents. Raises ValueError."""
    feed, xmin, xmax, deltas, *_ = text.split(".")
    steps = [int(step) for step in deltas.split("-")] if deltas else []
    xip = list(accumulate(steps, initial=int(xmin)))[1:]
    return Cursor(text, feed, int(xmax), frozenset(xip))
