"""Who sees which board, as of one place in the log.

Invariant: this is the state of board_members at the hub's cursor, exactly: read in the cursor's own snapshot, then moved only
by the log's own events. So a right is decided once per board, at its place among the events, and needs no query per client.
"""

from collections import defaultdict
from collections.abc import Iterable

from feed.wire.batch import Boards
from feed.wire.event import Grant


class Memberships:
    def __init__(self, rows: Iterable[tuple[str, str, str]] = ()) -> None:
        """Rows are (user, board, role)."""
        self._boards: defaultdict[str, set[str]] = defaultdict(set)
        for user, board, _ in rows:
            self._boards[user].add(board)

    def boards(self, user: str) -> Boards:
        """The boards that a user sees."""
        return frozenset(self._boards.get(user, ()))

    def apply(self, grant: Grant) -> None:
        """Take in a change of board_members."""
        if grant.user is None or grant.board is None:
            self._boards.clear()
        elif grant.role is not None:
            self._boards[grant.user].add(grant.board)
        elif grant.user in self._boards:
            self._boards[grant.user].discard(grant.board)
