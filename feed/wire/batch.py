"""A batch: the events of one read pass, or a part of them, on the way to many clients.

Invariant: each combination of boards and encoding is encoded once, however many clients receive it. The cursor is on the
last event that a client receives, and only in the last part of a read pass.
"""

from collections.abc import Sequence

from feed.wire.cursor import Cursor
from feed.wire.encoding import Encoding
from feed.wire.event import Event

Boards = frozenset[str]


class Batch:
    """`cursor` is the position of a client that has received the batch; None if more parts follow."""

    __slots__ = ("_encoded", "_text", "_visible", "boards", "cursor", "events", "grants", "size")

    def __init__(self, events: Sequence[Event], cursor: Cursor | None) -> None:
        self.events = events
        self.cursor = cursor
        self._text = None if cursor is None else str(cursor)
        self.size = sum(len(event.body) for event in events)
        self.grants = tuple(event.grant for event in events if event.grant is not None)
        self.boards = {event.board for event in events if event.board is not None}
        self._visible: dict[Boards, list[Event]] = {}
        self._encoded: dict[tuple[Boards, Encoding], bytes] = {}

    def visible_to(self, boards: Boards) -> list[Event]:
        """Return the events for a client of these boards."""
        events = self._visible.get(boards)
        if events is None:
            events = self._visible[boards] = [e for e in self.events if e.everyone or e.board in boards]
        return events

    def encoded(self, boards: Boards, encoding: Encoding) -> bytes:
        """Return the same, encoded for one write; empty if there are none."""
        data = self._encoded.get((boards, encoding))
        if data is None:
            data = self._encoded[boards, encoding] = encoding.events(self.visible_to(boards), self._text)
        return data

    def tail(self, start: int) -> "Batch":
        """Return the batch from an event index on."""
        return self if start == 0 else Batch(self.events[start:], self.cursor)

    def drop_encoded(self) -> None:
        """Drop the encoded forms. The batch is kept for the few clients that return."""
        self._visible.clear()
        self._encoded.clear()
