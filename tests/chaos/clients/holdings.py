"""The rows that a client holds, changed only as "The rules" in docs/protocol.md allow.

Invariant: `cursor` moves in the same step as the rows that it covers. The rows of a `pending` board are unreliable.
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
    """The cursor of the board's snapshot, while that is ahead of the stream."""
    pending: int = 0
    """The number of the current request for a snapshot; each new reason gives a new number. 0: none is needed."""
    pending_at: Cursor | None = None
    """The cursor of the stream at the request: the snapshot must cover it."""
    ahead: bool = False
    """Whether the last page had states newer than its cursor."""
    since: list[Body] = field(default_factory=list)
    """The events received while pending: those that the snapshot does not cover are applied to it."""

    def complete_at(self, cursor: Cursor) -> bool:
        """Whether the rows are not older than the client's cursor and no snapshot is ahead of it."""
        return not self.pending and (self.newer is None or cursor.covers(self.newer))

    def exact_at(self, cursor: Cursor) -> bool:
        """Whether the rows are exactly those at the client's cursor."""
        return not self.ahead and self.complete_at(cursor)

    def state(self) -> tuple[int, str]:
        """The count and hash, as in a checkpoint."""
        return len(self.rows), board_hash((key, row["version_number"]) for key, row in self.rows.items())


class Holdings:
    def __init__(self, wanted: set[str] | None) -> None:
        """`wanted`: the boards to follow; None for all boards of the user."""
        self.wanted = wanted
        self.cursor: Cursor | None = None
        self.boards: dict[str, BoardRows] = {}
        self.visible: set[str] = set()
        self.unlisted = False
        """Whether the list of boards must be requested: a `resync` of the members does not include it."""
        self._granted_or_revoked: set[str] = set()
        """Boards granted or revoked on the stream since the list is needed."""
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
        """The boards that need a snapshot."""
        return [name for name, board in self.boards.items() if board.pending]

    def begin(self, boards: Iterable[str], cursor: str | None) -> None:
        """Start, or start over, at the service's cursor: every board needs a snapshot."""
        self.cursor = None if cursor is None else parse(cursor)
        self.visible = set(boards)
        self._held.clear()
        self.unlisted = False
        self.boards = {}
        for name in sorted(self.visible):
            if self.wants(name):
                self.request(name)

    def request(self, board: str) -> None:
        """Request a new snapshot of a board."""
        rows = self.board(board)
        rows.pending, rows.pending_at = next(self._requests), self.cursor
        rows.since.clear()

    def subscribed(self, asked: Iterable[str], boards: Iterable[str]) -> None:
        """Apply the response to `subscribe`: of the boards in `asked`, those in `boards` are followed from now on."""
        for name in sorted(asked):
            if name in boards:
                self.visible.add(name)
                self.request(name)
            else:
                self.visible.discard(name)
                self.remove(name)

    def listed(self, boards: Iterable[str]) -> None:
        """Apply the list of the user's boards. Grants and revocations on the stream since the request are newer."""
        self.unlisted = False
        seen = set(boards)
        for name in seen - self.visible - self._granted_or_revoked:
            self.visible.add(name)
            if self.wants(name):
                self.request(name)
        for name in (self.visible | self.boards.keys()) - seen - self._granted_or_revoked:
            self.visible.discard(name)
            self.remove(name)

    def receive(self, message: Body, cursor: str | None) -> bool:
        """Receive a message; apply the batch if the message ends it, and return whether it did."""
        if "seq" in message or message["type"] in MEMBERSHIP:
            self._held.append(message)
        if cursor is None:
            return False
        self._apply(parse(cursor))
        return True

    def cut(self) -> int:
        """Drop the unfinished batch of a lost connection, which will be sent again, and return its size."""
        dropped = len(self._held)
        self._held.clear()
        return dropped

    def snapshot(self, board: str, rows: Iterable[Body], cursor: str) -> None:
        """Replace a board with a snapshot, and apply the events received since the request that it does not cover."""
        before = self.boards.get(board)
        after = self.boards[board] = BoardRows({row["id"]: row for row in rows}, newer=parse(cursor))
        for event in before.since if before is not None else ():
            _apply_to(after, event)
        if self.cursor is not None:
            self._drop_old_snapshot_cursors(self.cursor)

    def remove(self, board: str) -> None:
        """Remove a board that the user does not see."""
        self.boards.pop(board, None)

    def replace_all(self, rows: Iterable[Body], cursor: str) -> None:
        """Replace all rows with the response to a poll without `since`."""
        self.cursor = parse(cursor)
        self.boards = {}
        self.unlisted = False
        self._held.clear()
        for row in rows:
            self._put(row)

    def page(self, rows: Iterable[Body], deleted: Iterable[str], cursor: str, *, more: bool) -> None:
        """Apply a page of states. Only the last page is not newer than its cursor."""
        for key in deleted:
            self._drop(key)
        for row in rows:
            self._put(row)
        self.cursor = parse(cursor)
        for board in self.boards.values():
            board.ahead = more
        self._drop_old_snapshot_cursors(self.cursor)

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
            self._apply_message(message)
        self._drop_old_snapshot_cursors(cursor)

    def _drop_old_snapshot_cursors(self, cursor: Cursor) -> None:
        for board in self.boards.values():
            if board.newer is not None and cursor.covers(board.newer):
                board.newer = None

    def _apply_message(self, message: Body) -> None:
        kind, name = message["type"], message["boardId"]
        if kind == "resync":
            if message["table"] == "board_members":
                self._granted_or_revoked.clear()
                self.unlisted = True
            for each in list(self.boards) if name is None else [name]:
                if self.wants(each):
                    self.request(each)
        elif name is None or not self.wants(name):
            return
        elif kind == "board_granted":
            self._granted_or_revoked.add(name)
            self.visible.add(name)
            self.request(name)
        elif kind == "board_revoked":
            self._granted_or_revoked.add(name)
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
        # `version` is the last version of the row on this board: the one held, or its successor.
        if held is not None and version >= held["version_number"]:
            del rows[key]
    elif held is not None and version <= held["version_number"]:
        return
    elif event["type"] == "opportunity_created":
        rows[key] = event["opportunity"]
    elif held is not None:
        rows[key] = held | event["changes"]
