"""One read of the log: what came after a cursor, for all who request it; or its beginning, and the remainder.

Invariant: its batches lead from the requested cursor to `target`, or to `end` on the way there. One client alone takes
the remainder; others read it anew.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from feed.wire.batch import Batch, Boards
from feed.wire.cursor import Cursor, Fault
from feed.wire.event import Grant

ReadPosition = tuple[int, int]
"""In the order of a read: see db.changelog.Chunk."""
Parts = AsyncGenerator[tuple[Batch, ReadPosition]]
"""Parts of what came, and where each ends."""


class FaultyError(Exception):
    """A cursor that cannot be resumed from."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class ReadRequest(NamedTuple):
    """What a client wants to know: what came after its cursor, on the boards that its user sees now."""

    cursor: Cursor
    boards: Boards
    collapsed: bool


class LogRead:
    def __init__(self, target: Cursor) -> None:
        self.target = target
        """A place of the hub's that covers the cursor, and that the replay buffer goes on from; fixed when the read begins."""
        self.grants: list[Grant] = []
        """Every change of membership on the whole way; complete once it is proven."""
        self.batches: list[Batch] = []
        self.end: ReadPosition | None = None
        """Where the way goes on, if these are not all its batches."""
        self.size = 0
        self.remainder: Parts | None = None
        """What goes on from there, still open; see take()."""
        self.error: Exception | None = None
        self.proven = asyncio.Event()
        self.ended = asyncio.Event()

    def add(self, batch: Batch, place: ReadPosition) -> None:
        self.batches.append(batch)
        self.size += batch.size
        self.end = place if batch.cursor is None else None

    def take(self, after: ReadPosition | None) -> Parts | None:
        """The remainder behind this position, if nobody has it yet. The caller closes it."""
        remainder = None
        if after == self.end:
            remainder, self.remainder = self.remainder, None
        return remainder

    def check(self) -> None:
        """Raise what came of it instead."""
        if self.error is not None:
            raise self.error
