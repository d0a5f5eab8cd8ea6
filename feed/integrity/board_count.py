"""The count of one board: the hash of its rows, kept up to date with every change, and the recount that will replace it.

Invariant: a recount includes every change once: in its rows if its snapshot shows the change, otherwise by applying it.
"""

from db.changelog.changes import Change
from db.changelog.positions import Seen
from feed.integrity.board_hash import BoardHash

_MAX_BUFFERED = 20_000
"""Changes of a board to buffer while it is being read. With more, the count is abandoned."""


class BoardCount:
    """`current` is valid at the head, `recount` once the head covers `recount_snapshot`; None if there is no such count."""

    __slots__ = ("buffered", "counted_at", "current", "recount", "recount_snapshot")

    def __init__(self) -> None:
        self.current: BoardHash | None = None
        self.recount: BoardHash | None = None
        self.recount_snapshot = Seen(0)
        self.buffered: list[Change] | None = None
        self.counted_at = 0.0

    @property
    def counting(self) -> bool:
        return self.buffered is not None or self.recount is not None

    def apply(self, change: Change) -> bool:
        """Apply a change. Return False if the board must be dropped."""
        if self.buffered is not None:
            self.buffered.append(change)
            if len(self.buffered) > _MAX_BUFFERED:
                return False
        if self.recount is not None and change.xid not in self.recount_snapshot and not self.recount.apply(change):
            return False
        return self.current is None or self.current.apply(change)

    def finish_read(self, recount: BoardHash, snapshot: Seen) -> bool:
        """Finish a count with the rows of a snapshot. Return False if the board must be dropped."""
        buffered, self.buffered = self.buffered or [], None
        self.recount, self.recount_snapshot = recount, snapshot
        return all(change.xid in snapshot or recount.apply(change) for change in buffered)
