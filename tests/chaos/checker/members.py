"""The boards that each user could see, at a cursor and at each later position in the log."""

import json
from collections import defaultdict

from tests.chaos.checker.truth import Change, Truth
from tests.chaos.clients.cursor import Cursor

GRANTING = frozenset({"insert", "update", "enter"})
UNKNOWN_SECONDS = 60.0
"""Seconds after which every client that missed an uncaptured change has been reset."""


class Members:
    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._changes: defaultdict[str, list[Change]] = defaultdict(list)
        self._cache: dict[tuple[str, str, int], frozenset[str]] = {}
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
        """The membership changes that concern a user, including those of all users: all, or those that `since` does not cover."""
        found = self._changes[user] + self._changes["*"]
        return found if since is None else [change for change in found if not since.covers_xid(change.xid)]

    def unknown(self, user: str, at: float) -> set[str | None]:
        """Boards for which visibility is unknown: a membership was changed without the log."""
        return {
            board_of(change)
            for change in self._uncaptured
            if user_of(change) in {user, "*"} and at - UNKNOWN_SECONDS < change.at <= at + UNKNOWN_SECONDS
        }

    def at(self, user: str, cursor: Cursor, at: float, timeline: int) -> frozenset[str]:
        """The boards that a user sees at a cursor that was received at this time."""
        key = user, cursor.text, timeline
        boards = self._cache.get(key)
        if boards is None:
            seen: set[str] = set()
            lost = {id(change) for change in self._truth.lost_in(timeline)}
            past = [change for change in self._uncaptured if user_of(change) in {user, "*"} and change.at <= at]
            known = [
                change
                for change in self.of(user)
                if cursor.covers_xid(change.xid) and change.at <= at and (not change.lost or id(change) in lost)
            ]
            for change in sorted([*known, *past], key=lambda change: change.at):
                apply(seen, change)
            boards = self._cache[key] = frozenset(seen)
        return boards


def user_of(change: Change) -> str:
    """The user that a change of board_members concerns; * for all."""
    return "*" if change.key is None else str(json.loads(change.key)[1])


def board_of(change: Change) -> str | None:
    """The board that the change concerns; None for all."""
    return None if change.key is None else str(json.loads(change.key)[0])


def apply(boards: set[str], change: Change) -> None:
    """Apply a membership change to the boards that a user sees."""
    board = board_of(change)
    if board is None:
        if change.op == "truncate":
            boards.clear()
    elif change.op in GRANTING:
        boards.add(board)
    else:
        boards.discard(board)
