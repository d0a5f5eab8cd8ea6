"""Who could see which board, at a cursor and at each place of the log after it."""

import json
from collections import defaultdict

from tests.chaos.checker.truth import Change, Truth
from tests.chaos.clients.cursor import Cursor

GIVES = frozenset({"insert", "update", "enter"})
UNKNOWN = 60.0
"""Seconds after which everybody has been reset who did not know of a change that was not captured."""


class Members:
    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._changes: defaultdict[str, list[Change]] = defaultdict(list)
        self._known: dict[tuple[str, str, int], frozenset[str]] = {}
        for change in [*truth.changes, *(lost for changes in truth.lost.values() for lost in changes)]:
            if change.relation == "board_members":
                self._changes[user_of(change)].append(change)
        self._uncaptured = [
            Change(0, entry.xid, entry.at, entry.relation, op, key, None, None, None, None)
            for entry in truth.uncaptured
            if entry.relation == "board_members"
            for op, key in entry.moves()
        ]
        for changes in self._changes.values():
            changes.sort(key=lambda change: change.seq)

    def of(self, user: str, since: Cursor | None = None) -> list[Change]:
        """The changes that concern a user, those of everybody among them; all, or what may be news to a reader at `since`."""
        found = self._changes[user] + self._changes["*"]
        return found if since is None else [change for change in found if not since.covers_xid(change.xid)]

    def unknown(self, user: str, at: float) -> set[str | None]:
        """The boards of which nobody can say whether the user sees them now: they were let in, or out, past the log."""
        return {
            board_of(change)
            for change in self._uncaptured
            if user_of(change) in {user, "*"} and at - UNKNOWN < change.at <= at + UNKNOWN
        }

    def at(self, user: str, cursor: Cursor, at: float, era: int) -> frozenset[str]:
        """The boards that a user sees at a cursor, which came at this time."""
        place = user, cursor.text, era
        boards = self._known.get(place)
        if boards is None:
            seen: set[str] = set()
            lost = {id(change) for change in self._truth.lost_in(era)}
            past = [change for change in self._uncaptured if user_of(change) in {user, "*"} and change.at <= at]
            known = [
                change
                for change in self.of(user)
                if cursor.covers_xid(change.xid) and change.at <= at and (not change.lost or id(change) in lost)
            ]
            for change in sorted([*known, *past], key=lambda change: change.at):
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
