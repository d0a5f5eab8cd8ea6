"""Who could see which board, at a cursor and at each place of the log after it."""

import json
from collections import defaultdict

from tests.chaos.checker.truth import Change, Truth
from tests.chaos.clients.cursor import Cursor

GIVES = frozenset({"insert", "update", "enter"})


class Members:
    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._changes: defaultdict[str, list[Change]] = defaultdict(list)
        self._known: dict[tuple[str, str, bool], frozenset[str]] = {}
        for change in [*truth.changes, *(lost for changes in truth.lost.values() for lost in changes)]:
            if change.relation == "board_members":
                self._changes[user_of(change)].append(change)
        for changes in self._changes.values():
            changes.sort(key=lambda change: change.seq)

    def of(self, user: str, since: Cursor | None = None) -> list[Change]:
        """The changes that concern a user, those of everybody among them; all, or what may be news to a reader at `since`."""
        found = self._changes[user] + self._changes["*"]
        return found if since is None else [change for change in found if not since.covers_xid(change.xid)]

    def at(self, user: str, cursor: Cursor, at: float) -> frozenset[str]:
        """The boards that a user sees at a cursor, which came at this time."""
        lost = self._truth.lost_at(at)
        place = user, cursor.text, bool(lost)
        boards = self._known.get(place)
        if boards is None:
            seen: set[str] = set()
            for change in sorted(self.of(user), key=lambda change: change.seq):
                if cursor.covers_xid(change.xid) and change.at <= at and (not change.lost or change in lost):
                    step(seen, change)
            boards = self._known[place] = frozenset(seen)
        return boards


def user_of(change: Change) -> str:
    """Whom a change of board_members is about; * for everybody."""
    return "*" if change.key is None else str(json.loads(change.key)[1])


def board_of(change: Change) -> str | None:
    """Which board it is about; None for all."""
    return None if change.key is None else str(json.loads(change.key)[0])


def step(boards: set[str], change: Change) -> None:
    """Move what a user sees by a change that concerns them."""
    board = board_of(change)
    if board is None:
        if change.op == "truncate":
            boards.clear()
    elif change.op in GIVES:
        boards.add(board)
    else:
        boards.discard(board)
