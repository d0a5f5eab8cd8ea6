"""Which boards a user sees at each place of a stretch of the log that is replayed to them.

Invariant: a replay delivers an event only at places where its reader had the right to it, and says of each board at most once that
it was granted: at the last change, since the reader takes a snapshot then. What the membership is now is known exactly
(feed/delivery/memberships.py), so what it was is found by undoing the changes in between.
"""

from collections.abc import Sequence

from feed.wire.batch import Boards
from feed.wire.event import Grant


def before(user: str, boards: Boards, changes: Sequence[Grant]) -> Boards:
    """The boards that a user saw before these changes, given those after them.

    What a TRUNCATE of board_members took is not in the log: before it, the user is taken to have seen nothing.
    """
    seen = set(boards)
    for change in reversed(changes):
        if change.user is None:
            seen.clear()
        elif change.user != user or change.board is None:
            continue
        elif change.role is None:
            seen.add(change.board)
        elif change.new:
            seen.discard(change.board)
    return frozenset(seen)


class Rights:
    """The boards of one user at the current place of a replay, which starts before `changes`."""

    __slots__ = ("_last", "_user", "boards")

    def __init__(self, user: str, boards: Boards, changes: Sequence[Grant] = ()) -> None:
        self._user = user
        self.boards = boards
        self._last = {change.board: change.seq for change in changes if change.user == user}

    def concern(self, change: Grant) -> bool:
        return change.user is None or change.user == self._user

    def apply(self, change: Grant, visible: Boards) -> list[Grant]:
        """Move past a change that concerns the user, who sees the `visible` boards now; what they are to be sent of it."""
        if change.user is None or change.board is None:
            lost, self.boards = self.boards, frozenset()
            return [Grant(self._user, board, None, change.seq) for board in sorted(lost)]
        if change.role is None:
            had = change.board in self.boards
            self.boards -= {change.board}
            return [change] if had else []
        if change.board not in visible or self._last.get(change.board, change.seq) != change.seq:
            return []  # a later change of this board follows: that one is sent, if any
        self.boards |= {change.board}
        return [change]
