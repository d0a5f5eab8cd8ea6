"""The checkpoint of a board: its number of rows, and a hash of their ids and versions that does not depend on their order.

Invariant: feed.row_hash and web/client/src/hash.ts compute the same for every row. Rows can be subtracted again, so a
change costs the same whatever the size of the board.
"""

from zlib import crc32

from db.changelog.changes import Change
from db.gap_reports import BoardDigest

_LOW = 0xFFFFFFFF
_STEP = 2654435761
_ADDS = frozenset({"insert", "enter"})
_REMOVES = {"delete": 0, "leave": 1}
"""How much lower the row's last version is than the version of the change that removed it."""


def row_hash(key: str, version: int) -> int:
    """Return one row's contribution to the sum."""
    return _mix(crc32(key.encode()) + version * _STEP)


class BoardHash:
    """The number of a board's rows, and the sum of their hashes."""

    __slots__ = ("count", "total")

    def __init__(self, count: int = 0, total: int = 0) -> None:
        self.count = count
        self.total = total

    def add(self, key: str, version: int) -> None:
        self.count += 1
        self.total += row_hash(key, version)

    def apply(self, change: Change) -> bool:
        """Apply a change of an opportunity. Return False if its effect on the board cannot be determined."""
        key, version, op = change.key, change.version, change.op
        if key is None or version is None:
            return False
        own = crc32(key.encode())
        if op == "update":
            self.total += _mix(own + version * _STEP) - _mix(own + (version - 1) * _STEP)
        elif op in _ADDS:
            self.count += 1
            self.total += _mix(own + version * _STEP)
        elif op in _REMOVES:
            self.count -= 1
            self.total -= _mix(own + (version - _REMOVES[op]) * _STEP)
        else:
            return False
        return True

    @property
    def held(self) -> BoardDigest:
        return BoardDigest(self.count, f"{self.total & _LOW:08x}")


def _mix(h: int) -> int:
    # The finalizer of MurmurHash3: without it, neighboring versions would cancel each other out.
    h &= _LOW
    h = (h ^ h >> 16) * 2246822507 & _LOW
    h = (h ^ h >> 13) * 3266489909 & _LOW
    return h ^ h >> 16
