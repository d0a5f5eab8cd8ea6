"""One read of the log: what came after a cursor, or the first part of it and a remainder, for all clients that requested it.

Invariant: the batches lead from the requested cursor to `target`, or to `end` on the way there. Only one client takes
over the open remainder; others read it again.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from feed.wire.batch import Batch, Boards
from feed.wire.cursor import Cursor, Fault
from feed.wire.event import Grant

ReadPosition = tuple[int, int]
"""A position in the order of a read; see db.changelog.changes.Chunk."""
Parts = AsyncGenerator[tuple[Batch, ReadPosition]]
"""Batches, each with the position where it ends."""


class InvalidCursorError(Exception):
    """The cursor cannot be resumed from."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class ReadRequest(NamedTuple):
    """What a client needs: the changes after its cursor, on the boards that its user sees now."""

    cursor: Cursor
    boards: Boards
    collapse_from: int | None
    """With at least this many changes to read, only the newest state of each row; None: never."""


class LogRead:
    def __init__(self, target: Cursor) -> None:
        self.target = target
        """A head of this process that covers the cursor and is still in the replay buffer; fixed when the read begins."""
        self.grants: list[Grant] = []
        """All membership changes between the cursor and `target`; complete once `validated` is set."""
        self.batches: list[Batch] = []
        self.end: ReadPosition | None = None
        """Where to continue if `batches` do not reach `target`; None if they do."""
        self.collapsed = False
        """Whether it has only the newest state of each row; set once the cursor is validated."""
        self.size = 0
        self.remainder: Parts | None = None
        """The read that continues from `end`, still open; see take_remainder()."""
        self.error: Exception | None = None
        self.validated = asyncio.Event()
        self.finished = asyncio.Event()

    def add(self, batch: Batch, position: ReadPosition) -> None:
        self.batches.append(batch)
        self.size += batch.size
        self.end = position if batch.cursor is None else None

    def take_remainder(self, after: ReadPosition | None) -> Parts | None:
        """Return the open read that continues after this position, if no client took it yet. The caller closes it."""
        remainder = None
        if after == self.end:
            remainder, self.remainder = self.remainder, None
        return remainder

    def raise_for_error(self) -> None:
        """Raise the error of the read, if it failed."""
        if self.error is not None:
            raise self.error
