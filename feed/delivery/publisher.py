"""The publisher: delivers what a read pass has found to everything in this process that follows the log.

Invariant: events go out in the order in which they were read, to the replay buffer, to the clients, then to what is
known here (who sees what, what is offered) and to the followers; nothing is awaited in between. The end of a batch and
its cursor are one step, so nobody is ever given an older cursor than they hold. What is known holds at the end of the
replay buffer.
"""

import time
from datetime import datetime

from db.changelog import Chunk
from feed.delivery.connections import Connections
from feed.delivery.flags import Flags
from feed.delivery.memberships import Memberships
from feed.delivery.replay_buffer import ReplayBuffer
from feed.telemetry.metrics import Metrics
from feed.wire.batch import Batch
from feed.wire.cursor import Cursor
from feed.wire.event import Event
from feed.wire.follower import Follower, Reader

Newest = tuple[int, int, datetime] | None
"""seq, xid and time of a row of the log."""


class Publisher:
    def __init__(self, replay_buffer: ReplayBuffer, connections: Connections, metrics: Metrics) -> None:
        self.replay_buffer = replay_buffer
        self._connections = connections
        self._metrics = metrics
        self.followers: list[Follower] = []
        self.readers: list[Reader] = []
        self.memberships = Memberships()
        self.flags = Flags()
        self.found = self.rang = 0
        """Changes of this sweep, and how many of them rang."""
        self._newest: Newest = None
        self.read = 0.0
        """When it had its first rows, by the monotonic clock."""
        self.doubted = False
        """Whether the feed may have been reset: capture is on again, or a client has a cursor of another feed."""
        self.head: Cursor
        """Everything that was published, up to the end of a batch; set by start()."""

    @property
    def rest(self) -> Cursor | None:
        """The head; None while a batch is being published."""
        return self.head if self.replay_buffer.place(self.head) == self.replay_buffer.end else None

    def start(self, head: Cursor, memberships: Memberships, flags: Flags) -> None:
        """Begin at this place of the log, with what holds there."""
        self.head, self.memberships, self.flags = head, memberships, flags
        self._newest = None
        self.replay_buffer.mark(head)

    def begin(self) -> None:
        """A sweep begins."""
        self.found = self.rang = 0

    def take(self, part: Chunk) -> None:
        """Publish a part of what came since the head, which moves if it is the last one."""
        rows = ((c.seq, c.xid, c.at) for c in part.changes)
        self._newest = max((self._newest, *rows), key=lambda row: row[0] if row else 0)
        head = self.head
        if part.last and part.snapshot is not None:
            head = head.advanced(part.snapshot, part.last_xid, self._newest)
        if not self.found:
            self.read = time.monotonic()
        self.found += len(part.changes)
        self.rang += sum(change.rang for change in part.changes)
        if part.changes:
            for reader in self.readers:
                reader.read(part.changes)
            self._publish(Batch([Event.of(change) for change in part.changes], head if part.last else None))
        if part.last:
            self.head, self._newest = head, None
            self.replay_buffer.mark(head)
            self._connections.settle(str(head))

    def lost(self) -> None:
        """The log is out of reach, is another, or is read once more."""
        for follower in self.followers:
            follower.lost()
        for reader in self.readers:
            reader.lost()

    def _publish(self, batch: Batch) -> None:
        self.replay_buffer.append(batch)
        self._connections.publish(batch, self.head, self.replay_buffer.end - 1)
        for event in batch.events:
            if event.grant is not None:
                self.memberships.apply(event.grant)
            if event.flag_change is not None and self.flags.apply(event.flag_change):
                self.doubted = True
        for follower in self.followers:
            follower.told(batch.events)
        self._metrics.published(batch.events)
        batch.forget()
