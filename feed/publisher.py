"""The publisher: what a sweep has read is told to all in this process who are to know of it.

Invariant: events go out in the order in which they were read, to the ring, to the clients, then to what is known here (who sees
what, what is offered) and to those who follow; nothing is awaited in between. What is known holds at the hub's cursor.
"""

import time
from datetime import datetime

from db.changelog import Chunk
from feed.batch import Batch
from feed.connections import Connections
from feed.cursor import Cursor
from feed.event import Event
from feed.flags import Flags
from feed.follower import Follower, Reader
from feed.members import Members
from feed.metrics import Metrics
from feed.ring import Ring

Newest = tuple[int, int, datetime] | None
"""seq, xid and time of a row of the log."""


class Publisher:
    def __init__(self, ring: Ring, connections: Connections, metrics: Metrics) -> None:
        self._ring = ring
        self._connections = connections
        self._metrics = metrics
        self.followers: list[Follower] = []
        self.readers: list[Reader] = []
        self.members = Members()
        self.flags = Flags()
        self.found = self.rang = 0
        """Changes of this sweep, and how many of them rang."""
        self.read = 0.0
        """When it had its first rows, by the monotonic clock."""
        self.doubted = False
        """Whether it was told that capture is on again: the feed was reset with that."""

    def begin(self) -> None:
        """A sweep begins, perhaps once more."""
        self.found = self.rang = 0

    def take(self, part: Chunk, since: Cursor, newest: Newest) -> tuple[Cursor, Newest]:
        """Publish a part of what came since the hub's cursor; where it leads to, if it is the last, and the newest row so far."""
        newest = max((newest, *((c.seq, c.xid, c.at) for c in part.changes)), key=lambda row: row[0] if row else 0)
        cursor = since
        if part.last and part.snapshot is not None:
            cursor = since.advanced(part.snapshot, part.last_xid, newest)
        if not self.found:
            self.read = time.monotonic()
        self.found += len(part.changes)
        self.rang += sum(change.rang for change in part.changes)
        if part.changes:
            for reader in self.readers:
                reader.read(part.changes)
            self._publish(Batch([Event.of(change) for change in part.changes], cursor if part.last else None), since)
        return cursor, newest

    def lost(self) -> None:
        """The log is out of reach, is another, or is read once more."""
        for follower in self.followers:
            follower.lost()
        for reader in self.readers:
            reader.lost()

    def _publish(self, batch: Batch, since: Cursor) -> None:
        self._ring.append(batch)
        self._connections.publish(batch, since=since)
        for event in batch.events:
            if event.grant is not None:
                self.members.apply(event.grant)
            if event.ruling is not None and self.flags.apply(event.ruling):
                self.doubted = True
        for follower in self.followers:
            follower.told(batch.events)
        self._metrics.published(batch.events)
        batch.forget()
