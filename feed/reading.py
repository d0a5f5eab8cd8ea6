"""A reading: what came after one cursor, for all who ask for it; or the beginning of that, and then the way that is left.

Invariant: its batches lead from the cursor that was asked for to `target`, or to `end` on the way there. What is left of the way is
taken by one alone; others read it anew.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from feed.wire.batch import Batch, Boards
from feed.wire.cursor import Cursor, Fault
from feed.wire.event import Grant

Place = tuple[int, int]
"""In the order of a read: see db.changelog.Chunk."""
Parts = AsyncGenerator[tuple[Batch, Place]]
"""Parts of what came, and where each ends."""


class FaultyError(Exception):
    """A cursor that cannot be resumed from."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class Asked(NamedTuple):
    """What a client wants to know: what came after its cursor, on the boards that its user sees now."""

    cursor: Cursor
    boards: Boards
    collapsed: bool


class Reading:
    def __init__(self, target: Cursor) -> None:
        self.target = target
        """A place of the hub's that covers the cursor, and that the replay buffer goes on from; fixed when the reading begins."""
        self.grants: list[Grant] = []
        """Every change of membership on the whole way; complete once it is proven."""
        self.batches: list[Batch] = []
        self.end: Place | None = None
        """Where the way goes on, if these are not all its batches."""
        self.size = 0
        self.left: Parts | None = None
        """What goes on from there, still open; see take()."""
        self.error: Exception | None = None
        self.proven = asyncio.Event()
        self.ended = asyncio.Event()

    def add(self, batch: Batch, place: Place) -> None:
        self.batches.append(batch)
        self.size += batch.size
        self.end = place if batch.cursor is None else None

    def take(self, after: Place | None) -> Parts | None:
        """What is left behind this place, if nobody has it yet. It is the caller's to close."""
        left = None
        if after == self.end:
            left, self.left = self.left, None
        return left

    def check(self) -> None:
        """Raise what came of it instead."""
        if self.error is not None:
            raise self.error
