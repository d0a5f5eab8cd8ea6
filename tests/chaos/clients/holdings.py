"""What a client holds: the rows of its boards, changed only as "The rules" of docs/protocol.md say.

Invariant: `cursor` moves in the same step as the rows that it covers. Rows of a board that is `pending` are not to be trusted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.chaos.clients.cursor import Cursor, parse
from tests.chaos.clients.rowhash import board_hash

Body = dict[str, Any]
MEMBERSHIP = frozenset({"board_granted", "board_revoked"})


@dataclass
class BoardRows:
    rows: dict[str, Body] = field(default_factory=dict)
    newer: Cursor | None = None
    """The cursor of its snapshot, as long as that covers more than the stream's."""
    pending: int = 0
    """The number of the request for a new snapshot, which changes with each reason for one; 0: none is needed."""
    pending_at: Cursor | None = None
    """Where the stream stood when it was requested: no snapshot that does not cover this will do."""
    ahead: bool = False
    """Whether a page of states told more than the cursor that it ended with."""
    since: list[Body] = field(default_factory=list)
    """The events that came while it was pending: those that its snapshot does not cover are applied to that."""

    def complete_at(self, cursor: Cursor) -> bool:
        """Whether these rows are no older than the cursor that the client stands at, and no snapshot is newer."""
        return not self.pending and (self.newer is None or cursor.covers(self.newer))

    def exact_at(self, cursor: Cursor) -> bool:
        """Whether these rows are those of the cursor that the client stands at."""
        return not self.ahead and self.complete_at(cursor)

    def state(self) -> tuple[int, str]:
        """The count and hash that a checkpoint has."""
        return len(self.rows), board_hash((key, row["version_number"]) for key, row in self.rows.items())


class Holdings:
    def __init__(self, wanted: set[str] | None) -> None:
        """`wanted`: these boards only; None for all that the user sees."""
        self.wanted = wanted
        self.cursor: Cursor | None = None
        self.boards: dict[str, BoardRows] = {}
        self.visible: set[str] = set()
        self.unlisted = False
        """Whether it has to ask which boards there are: a `resync` of the members does not say so."""
        self._told: set[str] = set()
        """Boards that the stream has granted or revoked since it has to ask."""
        self._held: list[Body] = []
        self._requests = count(1)

    @property
    def held(self) -> int:
        return len(self._held)

    def board(self, name: str) -> BoardRows:
        return self.boards.setdefault(name, BoardRows())

    def wants(self, board: str) -> bool:
        return self.wanted is None or board in self.wanted

    def pending(self) -> list[str]:
        """The boards of which a snapshot is to be taken."""
        return [name for name, board in self.boards.items() if board.pending]

    def begin(self, boards: Iterable[str], cursor: str | None) -> None:
        """Start, or start again, where the service says; everything is to be taken anew."""
        self.cursor = None if cursor is None else parse(cursor)
        self.visible = set(boards)
        self._held.clear()
        self.unlisted = False
        self.boards = {}
        for name in sorted(self.visible):
            if self.wants(name):
                self.request(name)

    def request(self, board: str) -> None:
        """A new snapshot of this board is needed."""
        rows = self.board(board)
        rows.pending, rows.pending_at = next(self._requests), self.cursor
        rows.since.clear()

    def subscribed(self, asked: Iterable[str], boards: Iterable[str]) -> None:
        """Take the answer to a `subscribe`: of those asked for, these are followed from here on."""
        for name in sorted(asked):
            if name in boards:
                self.visible.add(name)
                self.request(name)
            else:
                self.visible.discard(name)
                self.absent(name)

    def listed(self, boards: Iterable[str]) -> None:
        """Take the list of the user's boards; what the stream has said since it was needed is newer."""
        self.unlisted = False
        seen = set(boards)
        for name in seen - self.visible - self._told:
            self.visible.add(name)
            if self.wants(name):
                self.request(name)
        for name in (self.visible | self.boards.keys()) - seen - self._told:
            self.visible.discard(name)
            self.absent(name)

    def receive(self, message: Body, cursor: str | None) -> bool:
        """Take a message that has a place among the events, or ends a batch; whether it did the latter."""
        if "seq" in message or message["type"] in MEMBERSHIP:
            self._held.append(message)
        if cursor is None:
            return False
        self._apply(parse(cursor))
        return True

    def cut(self) -> int:
        """The connection is gone: what is held will be sent again. How many messages were dropped."""
        dropped = len(self._held)
        self._held.clear()
        return dropped

    def snapshot(self, board: str, rows: Iterable[Body], cursor: str) -> None:
        """Replace a board, and apply what came while it was requested and is not in it."""
        before = self.boards.get(board)
        after = self.boards[board] = BoardRows({row["id"]: row for row in rows}, newer=parse(cursor))
        for event in before.since if before is not None else ():
            _apply_to(after, event)
        if self.cursor is not None:
            self._forget(self.cursor)

    def absent(self, board: str) -> None:
        """The user does not see this board."""
        self.boards.pop(board, None)

    def everything(self, rows: Iterable[Body], cursor: str) -> None:
        """Replace all that is held by the answer to a poll without `since`."""
        self.cursor = parse(cursor)
        self.boards = {}
        self.unlisted = False
        self._held.clear()
        for row in rows:
            self._put(row)

    def page(self, rows: Iterable[Body], deleted: Iterable[str], cursor: str, *, more: bool) -> None:
        """Take a page of states; only the last one of several is no newer than its own cursor."""
        for key in deleted:
            self._drop(key)
        for row in rows:
            self._put(row)
        self.cursor = parse(cursor)
        for board in self.boards.values():
            board.ahead = more
        self._forget(self.cursor)

    def _put(self, row: Body) -> None:
        self._drop(row["id"])
        if self.wants(row["board_id"]):
            self.board(row["board_id"]).rows[row["id"]] = row

    def _drop(self, key: str) -> None:
        for board in self.boards.values():
            board.rows.pop(key, None)

    def _apply(self, cursor: Cursor) -> None:
        held, self._held = self._held, []
        self.cursor = cursor
        for message in held:
            self._take(message)
        self._forget(cursor)

    def _forget(self, cursor: Cursor) -> None:
        for board in self.boards.values():
            if board.newer is not None and cursor.covers(board.newer):
                board.newer = None

    def _take(self, message: Body) -> None:
        kind, name = message["type"], message["boardId"]
        if kind == "resync":
            if message["table"] == "board_members":
                self._told.clear()
                self.unlisted = True
            for each in list(self.boards) if name is None else [name]:
                if self.wants(each):
                    self.request(each)
        elif name is None or not self.wants(name):
            return
        elif kind == "board_granted":
            self._told.add(name)
            self.visible.add(name)
            self.request(name)
        elif kind == "board_revoked":
            self._told.add(name)
            self.visible.discard(name)
            self.boards.pop(name, None)
        elif kind.startswith("opportunity_"):
            board = self.board(name)
            if board.pending:
                board.since.append(message)
            _apply_to(board, message)


def _apply_to(board: BoardRows, event: Body) -> None:
    if board.newer is None or not board.newer.covers_xid(int(event["xid"])):
        _change(board.rows, event)


def _change(rows: dict[str, Body], event: Body) -> None:
    key, version = event["opportunityId"], event["version"]
    held = rows.get(key)
    if event["type"] == "opportunity_deleted":
        # `version` is the last that the row had on this board's readers' side: the one that is held, or its successor.
        if held is not None and version >= held["version_number"]:
            del rows[key]
    elif held is not None and version <= held["version_number"]:
        return
    elif event["type"] == "opportunity_created":
        rows[key] = event["opportunity"]
    elif held is not None:
        rows[key] = held | event["changes"]
