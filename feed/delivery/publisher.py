"""The publisher: delivers the changes of a read pass to everything in this process that follows the log.

Invariant: events are delivered in log order, to the replay buffer, then the clients, then memberships and flags, then
the observers, and nothing is awaited in between. Ending a batch and moving the head are one step, so a client never
receives a cursor older than its own. Memberships and flags are those at the end of the replay buffer.
"""

import time
from datetime import datetime

from db.changelog.changes import Chunk
from feed.delivery.connections import Connections
from feed.delivery.flags import Flags
from feed.delivery.memberships import Memberships
from feed.delivery.replay_buffer import ReplayBuffer
from feed.telemetry.metrics import Metrics
from feed.wire.batch import Batch
from feed.wire.cursor import Cursor
from feed.wire.event import Event
from feed.wire.observers import Observer

NewestRow = tuple[int, int, datetime] | None
"""seq, xid and time of a log row."""


class Publisher:
    def __init__(self, replay_buffer: ReplayBuffer, connections: Connections, metrics: Metrics) -> None:
        self.replay_buffer = replay_buffer
        self._connections = connections
        self._metrics = metrics
        self._observers: list[Observer] = []
        self.memberships = Memberships()
        self.flags = Flags()
        self.found = self.notified = 0
        """Changes found in this read pass, and how many of them sent NOTIFY."""
        self._newest: NewestRow = None
        self.read_at = 0.0
        """When this read pass got its first rows (monotonic clock)."""
        self.recheck_needed = False
        """Whether the feed may have been reset: capture was turned back on, or a client has a cursor of another feed."""
        self.head: Cursor
        """How far this process has published, up to the end of a batch. Set by start()."""

    @property
    def idle_head(self) -> Cursor | None:
        """The head, or None while a batch is being published."""
        return self.head if self.replay_buffer.offset_of(self.head) == self.replay_buffer.end else None

    def start(self, head: Cursor, memberships: Memberships, flags: Flags) -> None:
        """Start at a head, with the memberships and flags of the same snapshot."""
        self.head, self.memberships, self.flags = head, memberships, flags
        self._newest = None
        self.replay_buffer.record(head)

    def subscribe(self, observer: Observer) -> None:
        """Call an observer from now on."""
        self._observers.append(observer)

    def begin_pass(self) -> None:
        """Begin a read pass."""
        self.found = self.notified = 0

    def end_pass(self) -> None:
        """Tell the observers that everything the pass found is published."""
        for observer in self._observers:
            observer.on_pass(self.found, self.notified)

    def publish(self, part: Chunk) -> None:
        """Publish a part of what was found. The last part of a pass moves the head."""
        rows = ((c.seq, c.xid, c.at) for c in part.changes)
        self._newest = max((self._newest, *rows), key=lambda row: row[0] if row else 0)
        head = self.head
        if part.last and part.snapshot is not None:
            head = head.advanced(part.snapshot, part.last_xid, self._newest)
        if not self.found:
            self.read_at = time.monotonic()
        self.found += len(part.changes)
        self.notified += sum(change.notified for change in part.changes)
        if part.changes:
            for observer in self._observers:
                observer.on_changes(part.changes)
            self._publish_batch(Batch([Event.of(change) for change in part.changes], head if part.last else None))
        if part.last:
            self.head, self._newest = head, None
            self.replay_buffer.record(head)
            self._connections.finish_batch(str(head))

    def notify_lost(self) -> None:
        """Tell the observers that the log is unreachable, was replaced, or will be read again."""
        for observer in self._observers:
            observer.on_lost()

    def _publish_batch(self, batch: Batch) -> None:
        self.replay_buffer.append(batch)
        self._connections.publish(batch, self.head, self.replay_buffer.end - 1)
        for event in batch.events:
            if event.grant is not None:
                self.memberships.apply(event.grant)
            if event.flag_change is not None and self.flags.apply(event.flag_change):
                self.recheck_needed = True
        for observer in self._observers:
            observer.on_events(batch.events)
        self._metrics.published(batch.events)
        batch.drop_encoded()
