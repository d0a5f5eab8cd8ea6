"""What clients say that they have: the newest cursor that each has shown.

Invariant: nobody is believed to have more than this process has told, nor by a cursor of another feed. What is kept is a cursor for
each connection and for each of the latest users who poll; what is said of it is a few cursors with how many hold them, and of very
many neighbours are said as the oldest, which claims less.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator

from db.instances import Ack
from feed.delivery.connections import Connections
from feed.delivery.subscription import Shown, Subscription
from feed.tailing.tailer import Tailer
from feed.wire.cursor import Cursor

_MOST = 32
"""Cursors that are said."""
_POLLERS = 1000
_POLLS = 60.0
"""Seconds after his last poll for which a user counts; a page that is not looked at polls every 15."""


class ClientPositions:
    def __init__(self, tailer: Tailer, connections: Connections) -> None:
        self._tailer = tailer
        self._connections = connections
        self._pollers: OrderedDict[str, Shown] = OrderedDict()
        self._known: dict[str, Cursor] = {}
        """By their texts, since the last word: many clients show the same."""

    def shown(self, subscription: Subscription, text: str) -> None:
        """Take a cursor that an open stream's client shows. Raises ValueError for what is none."""
        if (cursor := self._believed(text)) is not None:
            subscription.shown = Shown(cursor, text, time.monotonic())

    def polled(self, user: str, cursor: Cursor) -> None:
        """Take the cursor that a user polls with; it has been proven."""
        self._pollers[user] = Shown(cursor, str(cursor), time.monotonic())
        self._pollers.move_to_end(user)
        if len(self._pollers) > _POLLERS:
            self._pollers.popitem(last=False)

    def told(self) -> list[Ack]:
        """How many hold which cursor, the furthest behind first."""
        self._known.clear()
        now = time.monotonic()
        held: dict[str, list[Shown]] = {}
        for shown in self._all(now - _POLLS):
            held.setdefault(shown.text, []).append(shown)
        # The one that covers another reaches as far or further, and lacks less on the way.
        groups = sorted(held.values(), key=lambda group: (group[0].cursor.seen.xmax, -len(group[0].cursor.seen.xip)))
        width = -(-len(groups) // _MOST) or 1
        return [_ack(groups[at : at + width], now) for at in range(0, len(groups), width)]

    def _believed(self, text: str) -> Cursor | None:
        cursor = self._known.get(text)
        if cursor is None:
            cursor = Cursor.parse(text)
            if cursor.feed != self._tailer.cursor.feed or not self._tailer.cursor.covers(cursor):
                return None
            self._known[text] = cursor
        return cursor

    def _all(self, since: float) -> Iterator[Shown]:
        feed = self._tailer.cursor.feed
        while self._pollers and next(iter(self._pollers.values())).at < since:
            self._pollers.popitem(last=False)
        for shown in (*(each.shown for each in self._connections), *self._pollers.values()):
            if shown is not None and shown.cursor.feed == feed:
                yield shown


def _ack(groups: list[list[Shown]], now: float) -> Ack:
    times = [shown.at for group in groups for shown in group]
    return Ack(groups[0][0].text, len(times), now - min(times), now - max(times))
