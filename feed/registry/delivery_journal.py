"""Which changes this process delivered when, and to how many clients, until the instance registry has written it down.

Invariant: the journal is bounded. With many passes, two neighboring entries are merged into one that counts its passes and
spans from when the first got its rows to when the last had delivered them. Delivery does not wait for the journal.
"""

import time
from itertools import zip_longest
from typing import NamedTuple

from db.instances import Delivery
from feed.delivery.connections import Connections
from feed.tailing.tailer import Tailer
from feed.wire.cursor import Cursor
from feed.wire.observers import Observer

_MAX_ENTRIES = 16
"""Entries kept between two reports of the instance registry."""
_MAX_BOARDS = 64
"""Boards listed in an entry, at most."""


class JournalEntry(NamedTuple):
    """One or more passes. Times are those of the monotonic clock."""

    read_at: float
    delivered_at: float
    since: Cursor
    cursor: Cursor
    passes: int
    events: int
    deliveries: int
    clients: int
    late: int
    boards: dict[str, int] | None

    def merged_with(self, later: "JournalEntry | None") -> "JournalEntry":
        """One entry for this one and the next."""
        if later is None:
            return self
        boards = None if self.boards is None or later.boards is None else self.boards | later.boards
        return later._replace(
            read_at=self.read_at,
            since=self.since,
            passes=self.passes + later.passes,
            events=self.events + later.events,
            deliveries=self.deliveries + later.deliveries,
            late=self.late + later.late,
            boards=None if boards is None or len(boards) > _MAX_BOARDS else boards,
        )


class DeliveryJournal(Observer):
    def __init__(self, tailer: Tailer, connections: Connections) -> None:
        self._tailer = tailer
        self._connections = connections
        self._entries: list[JournalEntry] = []

    def on_pass(self, found: int, notified: int) -> None:  # noqa: ARG002 - the signature of Observer
        """Record a pass that has ended."""
        if not found:
            return
        counts = self._connections.take_counts()
        self._entries.append(
            JournalEntry(
                self._tailer.publisher.read_at,
                time.monotonic(),
                self._tailer.previous_head,
                self._tailer.head,
                1,
                found,
                counts.deliveries,
                len(self._connections),
                counts.slow,
                counts.boards if len(counts.boards) <= _MAX_BOARDS else None,
            )
        )
        self._compact()

    def take(self) -> list[JournalEntry]:
        """The entries to write down. If that fails, return them with restore()."""
        entries, self._entries = self._entries, []
        return entries

    def restore(self, entries: list[JournalEntry]) -> None:
        self._entries = entries + self._entries
        self._compact()

    def _compact(self) -> None:
        while len(self._entries) > _MAX_ENTRIES:
            self._entries = [
                one.merged_with(two) for one, two in zip_longest(self._entries[::2], self._entries[1::2]) if one
            ]


def with_ages(entries: list[JournalEntry]) -> list[Delivery]:
    """The entries as the database takes them: with ages instead of times."""
    now = time.monotonic()
    return [
        Delivery(
            now - each.read_at,
            now - each.delivered_at,
            str(each.since),
            str(each.cursor),
            each.passes,
            each.events,
            each.deliveries,
            each.clients,
            each.late,
            each.boards,
        )
        for each in entries
    ]
