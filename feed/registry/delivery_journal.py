"""When this process delivered which changes, and to how many clients. The instance registry writes it to the database.

Invariant: the journal is bounded. With many passes, two neighboring entries are merged into one that counts its passes and
spans from when the first got its rows to when the last had delivered them. Delivery does not wait for the journal.
"""

import time
from itertools import zip_longest

from db.instances import Delivery
from feed.delivery.connections import Connections
from feed.tailing.tailer import Tailer
from feed.wire.observers import Observer

_MAX_ENTRIES = 16
"""Entries kept between two reports of the instance registry."""
_MAX_BOARDS = 64
"""Boards listed in an entry, at most."""


class DeliveryJournal(Observer):
    """The times of its entries are those of the monotonic clock until with_ages() replaces them."""

    def __init__(self, tailer: Tailer, connections: Connections) -> None:
        self._tailer = tailer
        self._connections = connections
        self._entries: list[Delivery] = []

    def on_pass(self, found: int, notified: int) -> None:  # noqa: ARG002 - the signature of Observer
        """Record a pass that has ended."""
        if not found:
            return
        counts = self._connections.take_counts()
        self._entries.append(
            Delivery(
                self._tailer.publisher.read_at,
                time.monotonic(),
                str(self._tailer.previous_head),
                str(self._tailer.head),
                1,
                found,
                counts.deliveries,
                len(self._connections),
                counts.slow,
                counts.boards if len(counts.boards) <= _MAX_BOARDS else None,
            )
        )
        self._compact()

    def take(self) -> list[Delivery]:
        """The entries to write down. If that fails, return them with restore()."""
        entries, self._entries = self._entries, []
        return entries

    def restore(self, entries: list[Delivery]) -> None:
        self._entries = entries + self._entries
        self._compact()

    def _compact(self) -> None:
        while len(self._entries) > _MAX_ENTRIES:
            self._entries = [
                _merged(one, two) for one, two in zip_longest(self._entries[::2], self._entries[1::2]) if one
            ]


def with_ages(entries: list[Delivery]) -> list[Delivery]:
    """The entries as the database takes them: with ages instead of times."""
    now = time.monotonic()
    return [each._replace(read_at=now - each.read_at, delivered_at=now - each.delivered_at) for each in entries]


def _merged(one: Delivery, later: Delivery | None) -> Delivery:
    """One entry for two neighbors."""
    if later is None:
        return one
    boards = None if one.boards is None or later.boards is None else {**one.boards, **later.boards}
    return later._replace(
        read_at=one.read_at,
        since=one.since,
        reads=one.reads + later.reads,
        events=one.events + later.events,
        deliveries=one.deliveries + later.deliveries,
        late=one.late + later.late,
        boards=None if boards is None or len(boards) > _MAX_BOARDS else boards,
    )
