"""When this process has told what to how many, until the instance registry has written it down.

Invariant: what is kept is bounded. Where sweeps are many, two neighbours become one row, which says for how many it stands, from
when the first had its rows to when the last had told them. Nobody who is told waits for it.
"""

import time
from itertools import zip_longest
from typing import NamedTuple

from db.instances import Told
from feed.delivery.connections import Connections
from feed.tailing.tailer import Tailer
from feed.wire.cursor import Cursor

_MOST = 16
"""Rows between two writes of the instance registry."""
_BOARDS = 64
"""Boards that a row names."""


class JournalEntry(NamedTuple):
    """`read` and `told` by the monotonic clock."""

    read: float
    told: float
    since: Cursor
    cursor: Cursor
    sweeps: int
    events: int
    deliveries: int
    clients: int
    late: int
    boards: dict[str, int] | None

    def then(self, later: "JournalEntry | None") -> "JournalEntry":
        """This one and the next as one."""
        if later is None:
            return self
        boards = None if self.boards is None or later.boards is None else self.boards | later.boards
        return later._replace(
            read=self.read,
            since=self.since,
            sweeps=self.sweeps + later.sweeps,
            events=self.events + later.events,
            deliveries=self.deliveries + later.deliveries,
            late=self.late + later.late,
            boards=None if boards is None or len(boards) > _BOARDS else boards,
        )


class DeliveryJournal:
    def __init__(self, tailer: Tailer, connections: Connections) -> None:
        self._tailer = tailer
        self._connections = connections
        self._kept: list[JournalEntry] = []

    def swept(self, found: int, _: int) -> None:
        """Note a sweep that has ended; see Tailer.observers."""
        if not found:
            return
        tally = self._connections.count()
        self._kept.append(
            JournalEntry(
                self._tailer.publisher.read,
                time.monotonic(),
                self._tailer.since,
                self._tailer.cursor,
                1,
                found,
                tally.deliveries,
                len(self._connections),
                tally.late,
                tally.boards if len(tally.boards) <= _BOARDS else None,
            )
        )
        self._fold()

    def take(self) -> list[JournalEntry]:
        """What is to be written down; what cannot be is given back."""
        kept, self._kept = self._kept, []
        return kept

    def give_back(self, kept: list[JournalEntry]) -> None:
        self._kept = kept + self._kept
        self._fold()

    def _fold(self) -> None:
        while len(self._kept) > _MOST:
            self._kept = [one.then(two) for one, two in zip_longest(self._kept[::2], self._kept[1::2]) if one]


def aged(entries: list[JournalEntry]) -> list[Told]:
    """The same as the database takes it: by how long ago it was."""
    now = time.monotonic()
    return [
        Told(
            now - each.read,
            now - each.told,
            str(each.since),
            str(each.cursor),
            each.sweeps,
            each.events,
            each.deliveries,
            each.clients,
            each.late,
            each.boards,
        )
        for each in entries
    ]
