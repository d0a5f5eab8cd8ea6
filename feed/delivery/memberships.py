"""Which user sees which boards, at one position in the log.

Invariant: the memberships here equal board_members at the head. The rows are read in the snapshot of the head, then
updated only by the events of the log. A right is therefore evaluated at its exact position among the events, without a
query per client.
"""

from collections import defaultdict
from collections.abc import Iterable

from feed.wire.batch import Boards
from feed.wire.event import Grant


class Memberships:
    def __init__(self, rows: Iterable[tuple[str, str, str]] = ()) -> None:
        """`rows` are (user, board, role)."""
        self._boards: defaultdict[str, set[str]] = defaultdict(set)
        for user, board, _ in rows:
            self._boards[user].add(board)

    def boards(self, user: str) -> Boards:
        """Return the boards that a user sees."""
        return frozenset(self._boards.get(user, ()))

    def apply(self, grant: Grant) -> None:
        """Apply a change of board_members."""
        if grant.user is None or grant.board is None:
            self._boards.clear()
        elif grant.role is not None:
            self._boards[grant.user].add(grant.board)
        elif grant.user in self._boards:
            self._boards[grant.user].discard(grant.board)
