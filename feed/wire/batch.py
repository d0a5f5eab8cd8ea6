"""A batch: what one sweep found, or a part of it, on its way to many clients.

Invariant: for one set of boards and one encoding the bytes are made once, however many clients get them. The cursor is on
the last event that a client gets, and only in the part that ends a sweep.
"""

from collections.abc import Sequence

from feed.wire.cursor import Cursor
from feed.wire.encoding import Encoding
from feed.wire.event import Event

Boards = frozenset[str]


class Batch:
    """`cursor` is where a client stands that has all of it; None for a part that more follows."""

    __slots__ = ("_encoded", "_text", "_told", "boards", "cursor", "events", "grants", "size")

    def __init__(self, events: Sequence[Event], cursor: Cursor | None) -> None:
        self.events = events
        self.cursor = cursor
        self._text = None if cursor is None else str(cursor)
        self.size = sum(len(event.body) for event in events)
        self.grants = tuple(event.grant for event in events if event.grant is not None)
        self.boards = {event.board for event in events if event.board is not None}
        self._told: dict[Boards, list[Event]] = {}
        self._encoded: dict[tuple[Boards, Encoding], bytes] = {}

    def told(self, boards: Boards) -> list[Event]:
        """The events for one who sees these boards."""
        events = self._told.get(boards)
        if events is None:
            events = self._told[boards] = [e for e in self.events if e.everyone or e.board in boards]
        return events

    def encoded(self, boards: Boards, encoding: Encoding) -> bytes:
        """The same as bytes for one write; empty where there is nothing to tell."""
        data = self._encoded.get((boards, encoding))
        if data is None:
            data = self._encoded[boards, encoding] = encoding.events(self.told(boards), self._text)
        return data

    def after(self, start: int) -> "Batch":
        """The rest of it from an event on."""
        return self if start == 0 else Batch(self.events[start:], self.cursor)

    def forget(self) -> None:
        """Drop the bytes: the batch is kept for those who come back, who are few."""
        self._told.clear()
        self._encoded.clear()
