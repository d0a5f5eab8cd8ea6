"""Which boards a user sees at each position of a replayed stretch of the log.

Invariant: a replay delivers an event only at positions where its user had the right to it. It announces the grant of a
board at most once, at the last change, because the client takes a snapshot then. The current memberships are known
exactly (feed/delivery/memberships.py), so earlier ones are found by undoing the changes in between.
"""

from collections.abc import Sequence

from feed.wire.batch import Boards
from feed.wire.event import Grant


def boards_before(user: str, boards: Boards, changes: Sequence[Grant]) -> Boards:
    """Return the boards that a user saw before these changes, given the `boards` after them.

    The log does not contain the rows that a TRUNCATE of board_members removed, so the user counts as having seen nothing
    before one.
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
    """The boards of one user at the current position of a replay that starts before `changes`."""

    __slots__ = ("_last", "_user", "boards")

    def __init__(self, user: str, boards: Boards, changes: Sequence[Grant] = ()) -> None:
        self._user = user
        self.boards = boards
        self._last = {change.board: change.seq for change in changes if change.user == user}

    def concerns(self, change: Grant) -> bool:
        return change.user is None or change.user == self._user

    def apply(self, change: Grant, visible: Boards) -> list[Grant]:
        """Move past a change that concerns the user, who now sees the `visible` boards. Return the grants to send."""
        if change.user is None or change.board is None:
            lost, self.boards = self.boards, frozenset()
            return [Grant(self._user, board, None, change.seq) for board in sorted(lost)]
        if change.role is None:
            had = change.board in self.boards
            self.boards -= {change.board}
            return [change] if had else []
        if change.board not in visible or self._last.get(change.board, change.seq) != change.seq:
            return []  # a later change of this board follows, which is sent instead if it applies
        self.boards |= {change.board}
        return [change]
