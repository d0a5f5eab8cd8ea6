"""The most recent batches, in memory, so that a client that returns soon needs no query.

Invariant: offsets count batches since the process started. The batches between an offset that is still held and `end`
are exactly those published in between, so replaying from an offset is equivalent to having stayed connected.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from feed.wire.batch import Batch
from feed.wire.cursor import Cursor
from feed.wire.event import Grant

_MAX_CURSORS = 4096
_MAX_REPLAYED_BYTES = 32 * 1024 * 1024
"""Bytes replayed after which the encoded forms of the batches are dropped."""


class ReplayBuffer:
    """Holds the last batches, up to `budget` bytes of events."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._size = 0
        self._first = 0
        self._replayed_bytes = 0
        """Bytes replayed since the encoded forms were dropped."""
        self._batches: deque[Batch] = deque()
        self._events_before: deque[int] = deque()
        """For each held batch, the number of events published before it."""
        self._events = 0
        """The number of events published."""
        self._cursors: dict[Cursor, int] = {}
        self._grants: deque[tuple[int, Grant]] = deque()
        """Membership changes in the held batches, each with the offset of its batch."""

    @property
    def end(self) -> int:
        """The offset after the newest batch."""
        return self._first + len(self._batches)

    def append(self, batch: Batch) -> None:
        self._grants.extend((self.end, grant) for grant in batch.grants)
        self._batches.append(batch)
        self._events_before.append(self._events)
        self._events += len(batch.events)
        self._size += batch.size
        while self._size > self._budget:
            self._size -= self._batches.popleft().size
            self._events_before.popleft()
            self._first += 1
        while self._grants and self._grants[0][0] < self._first:
            self._grants.popleft()

    def record(self, cursor: Cursor) -> None:
        """Record that a client with this cursor has everything up to the current end."""
        self._cursors.pop(cursor, None)
        self._cursors[cursor] = self.end
        if len(self._cursors) > _MAX_CURSORS:
            del self._cursors[next(iter(self._cursors))]

    def offset_of(self, cursor: Cursor) -> int | None:
        """Return the offset that a cursor corresponds to, or None if it is unknown or no longer held."""
        offset = self._cursors.get(cursor)
        return offset if offset is not None and offset >= self._first else None

    def since(self, offset: int) -> Iterator[Batch]:
        """Iterate over the batches from an offset that is still held."""
        return islice(self._batches, offset - self._first, None)

    def events_since(self, offset: int) -> int:
        """Return the number of events, on any board, from an offset that is still held."""
        return 0 if offset == self.end else self._events - self._events_before[offset - self._first]

    def grants_since(self, offset: int) -> list[Grant]:
        """Return the membership changes from an offset that is still held, in order."""
        return [grant for at, grant in self._grants if at >= offset]

    def holds(self, offset: int) -> bool:
        return offset >= self._first

    def count_replayed(self, size: int) -> None:
        self._replayed_bytes += size
        if self._replayed_bytes > _MAX_REPLAYED_BYTES:
            self.drop_encoded()

    def drop_encoded(self) -> None:
        """Drop the encoded forms of all batches; they are made again when needed."""
        self._replayed_bytes = 0
        for batch in self._batches:
            batch.drop_encoded()

    def clear(self) -> None:
        """Drop all batches. Offsets continue from here, so no earlier offset is held."""
        self._first = self.end + 1
        self._batches.clear()
        self._events_before.clear()
        self._grants.clear()
        self._cursors.clear()
        self._size = 0
