"""The positions that clients report: the newest cursor that each has sent back.

Invariant: a reported cursor counts only if it belongs to the followed feed and the head covers it. One cursor is kept for
each connection and for each of the most recent users who poll. The summary has few entries, each with a cursor and the
number of clients at it; if there are many cursors, neighbors are merged under the oldest one, which claims less.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator

from db.instances import ClientPosition
from feed.delivery.connections import Connections
from feed.delivery.subscription import ReportedCursor, Subscription
from feed.tailing.tailer import Tailer
from feed.wire.cursor import Cursor

_MAX_POSITIONS = 32
"""Cursors in the summary, at most."""
_MAX_POLLERS = 1000
_POLLER_TIMEOUT = 60.0
"""Seconds after their last poll for which a user counts. A page in the background polls every 15."""


class ClientPositions:
    def __init__(self, tailer: Tailer, connections: Connections) -> None:
        self._tailer = tailer
        self._connections = connections
        self._pollers: OrderedDict[str, ReportedCursor] = OrderedDict()
        self._parsed: dict[str, Cursor] = {}
        """Cursors by text, since the last summary: many clients send the same one."""

    def record(self, subscription: Subscription, text: str) -> None:
        """Record a cursor that the client of an open stream sent. Raises ValueError if it is malformed."""
        if (cursor := self._parse_accepted(text)) is not None:
            subscription.reported = ReportedCursor(cursor, text, time.monotonic())

    def record_poll(self, user: str, cursor: Cursor) -> None:
        """Record the cursor that a user polled with. The caller has verified it."""
        self._pollers[user] = ReportedCursor(cursor, str(cursor), time.monotonic())
        self._pollers.move_to_end(user)
        if len(self._pollers) > _MAX_POLLERS:
            self._pollers.popitem(last=False)

    def summary(self) -> list[ClientPosition]:
        """How many clients are at which cursor, the furthest behind first."""
        self._parsed.clear()
        now = time.monotonic()
        held: dict[str, list[ReportedCursor]] = {}
        for shown in self._recent(now - _POLLER_TIMEOUT):
            held.setdefault(shown.text, []).append(shown)
        # A cursor that covers another sorts after it: its xmax is as high or higher, and fewer transactions are missing below.
        groups = sorted(held.values(), key=lambda group: (group[0].cursor.seen.xmax, -len(group[0].cursor.seen.xip)))
        group_size = -(-len(groups) // _MAX_POSITIONS) or 1
        return [_ack(groups[at : at + group_size], now) for at in range(0, len(groups), group_size)]

    def _parse_accepted(self, text: str) -> Cursor | None:
        cursor = self._parsed.get(text)
        if cursor is None:
            cursor = Cursor.parse(text)
            if cursor.feed != self._tailer.head.feed or not self._tailer.head.covers(cursor):
                return None
            self._parsed[text] = cursor
        return cursor

    def _recent(self, since: float) -> Iterator[ReportedCursor]:
        feed = self._tailer.head.feed
        while self._pollers and next(iter(self._pollers.values())).at < since:
            self._pollers.popitem(last=False)
        for shown in (*(each.reported for each in self._connections), *self._pollers.values()):
            if shown is not None and shown.cursor.feed == feed:
                yield shown


def _ack(groups: list[list[ReportedCursor]], now: float) -> ClientPosition:
    times = [shown.at for group in groups for shown in group]
    return ClientPosition(groups[0][0].text, len(times), now - min(times), now - max(times))
