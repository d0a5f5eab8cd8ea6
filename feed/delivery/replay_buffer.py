"""The recent batches, in memory: who comes back soon is caught up without the database.

Invariant: places are numbered from the start of the process. What lies between a place that is still held and `end` is
exactly what was published in between, so following the replay buffer from a place is the same as having been connected.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from feed.wire.batch import Batch
from feed.wire.cursor import Cursor
from feed.wire.event import Grant

_MOST_CURSORS = 4096


class ReplayBuffer:
    """Holds the last batches, up to `budget` bytes of events."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._size = 0
        self._first = 0
        self._batches: deque[Batch] = deque()
        self._cursors: dict[Cursor, int] = {}
        self._grants: deque[tuple[int, Grant]] = deque()
        """The changes of membership in the batches that are held, each with its batch's place."""

    @property
    def end(self) -> int:
        """The place after the newest batch."""
        return self._first + len(self._batches)

    def append(self, batch: Batch) -> None:
        self._grants.extend((self.end, grant) for grant in batch.grants)
        self._batches.append(batch)
        self._size += batch.size
        while self._size > self._budget:
            self._size -= self._batches.popleft().size
            self._first += 1
        while self._grants and self._grants[0][0] < self._first:
            self._grants.popleft()

    def mark(self, cursor: Cursor) -> None:
        """Note that a client who has this cursor has all up to here."""
        self._cursors.pop(cursor, None)
        self._cursors[cursor] = self.end
        if len(self._cursors) > _MOST_CURSORS:
            del self._cursors[next(iter(self._cursors))]

    def place(self, cursor: Cursor) -> int | None:
        """Where a cursor stands; None where it is not, or no longer, known here."""
        place = self._cursors.get(cursor)
        return place if place is not None and place >= self._first else None

    def since(self, place: int) -> Iterator[Batch]:
        """The batches from a place that is still held."""
        return islice(self._batches, place - self._first, None)

    def grants(self, place: int) -> list[Grant]:
        """The changes of membership from a place that is still held, in order."""
        return [grant for at, grant in self._grants if at >= place]

    def holds(self, place: int) -> bool:
        return place >= self._first

    def forget(self) -> None:
        """Drop the bytes that batches were encoded to for those who came back together."""
        for batch in self._batches:
            batch.forget()

    def clear(self) -> None:
        """Forget everything; places go on from here, so none from before is held."""
        self._first = self.end + 1
        self._batches.clear()
        self._grants.clear()
        self._cursors.clear()
        self._size = 0
