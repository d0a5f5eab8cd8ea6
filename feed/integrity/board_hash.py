"""A board's checkpoint: how many rows it has, and a hash of their ids and versions in which order plays no part.

Invariant: feed.row_hash and feed/client/src/hash.ts say the same of every row. What has been added can be taken away, so a change
costs the same whatever the size of the board.
"""

from zlib import crc32

from db.changelog import Change
from db.gaps import Held

_LOW = 0xFFFFFFFF
_STEP = 2654435761
_COMES = frozenset({"insert", "enter"})
_GOES = {"delete": 0, "leave": 1}
"""What the version of the row was, below that of the change."""


def row_hash(key: str, version: int) -> int:
    """One row's part of the sum."""
    return _mixed(crc32(key.encode()) + version * _STEP)


class BoardHash:
    """The sum of a board's rows."""

    __slots__ = ("count", "total")

    def __init__(self, count: int = 0, total: int = 0) -> None:
        self.count = count
        self.total = total

    def add(self, key: str, version: int) -> None:
        self.count += 1
        self.total += row_hash(key, version)

    def apply(self, change: Change) -> bool:
        """Take in a change of an opportunity; False where it cannot be known what it makes of the board."""
        key, version, op = change.key, change.version, change.op
        if key is None or version is None:
            return False
        own = crc32(key.encode())
        if op == "update":
            self.total += _mixed(own + version * _STEP) - _mixed(own + (version - 1) * _STEP)
        elif op in _COMES:
            self.count += 1
            self.total += _mixed(own + version * _STEP)
        elif op in _GOES:
            self.count -= 1
            self.total -= _mixed(own + (version - _GOES[op]) * _STEP)
        else:
            return False
        return True

    @property
    def held(self) -> Held:
        return Held(self.count, f"{self.total & _LOW:08x}")


def _mixed(h: int) -> int:
    # The finaliser of MurmurHash3: without it neighbours of a version would cancel each other out.
    h &= _LOW
    h = (h ^ h >> 16) * 2246822507 & _LOW
    h = (h ^ h >> 13) * 3266489909 & _LOW
    return h ^ h >> 16
