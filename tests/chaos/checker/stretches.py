"""A client's journal read again: stretches between two new beginnings, each of windows between two cursors.

A window is what a client applied in one step. It stood at `since`, and with all of the window's messages it stands at `until`.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.clients.cursor import Cursor, parse
from tests.chaos.model import Record

ANSWERED = frozenset({"opportunity_created", "opportunity_updated", "opportunity_moved", "opportunity_deleted"})
MEMBERSHIP = frozenset({"board_granted", "board_revoked"})
OWN = frozenset({"connect", "cut", "refused", "subscribing", "unsubscribing", "page", "snapshot", "compare", "final"})
"""Records of what a client did, and not of what it was sent."""
_TO_WALL = time.time() - time.monotonic()


def wall(at: float) -> float:
    """The time of a record on the clock that the database has."""
    return at + _TO_WALL


@dataclass
class Window:
    client: str
    user: str
    connection: int
    place: str
    since: Cursor
    until: Cursor
    messages: list[Record]
    at: float
    """When `until` came, on the wall clock."""
    wanted: frozenset[str] | None
    changing: frozenset[str]
    """Boards that were subscribed or unsubscribed meanwhile: at which place is not known."""
    told: frozenset[str] = frozenset()
    """Boards that a `board_granted` or `board_revoked` was about, earlier on this connection."""
    subscribed: frozenset[str] = frozenset()
    """Boards that a `subscribed` named meanwhile."""
    opened: float = 0.0
    """When its connection was opened: a slow reader is sent things long before they come."""


@dataclass
class Page:
    """An answer to a poll; `since` is None for the first one."""

    client: str
    user: str
    place: str
    since: Cursor | None
    until: Cursor
    answer: dict[str, Any]
    at: float


@dataclass
class Stretch:
    """`reset` is the reason for which it ended; None while it goes on to the end of the run."""

    client: str
    user: str
    begun: float
    windows: list[Window] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    reset: str | None = None
    cursors: list[tuple[float, Cursor]] = field(default_factory=list)
    """Every place that the client stood at, and when it got there."""


@dataclass
class Life:
    """Of one client."""

    client: str
    user: str
    stretches: list[Stretch]
    records: list[Record]


def lives(records: Iterable[Record]) -> list[Life]:
    """Read all journals."""
    by_client: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_client[record.client].append(record)
    return [_Reader(records).read() for records in by_client.values()]


class _Reader:
    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._first = records[0]
        self._stretches: list[Stretch] = []
        self._stretch: Stretch | None = None
        self._base: Cursor | None = None
        self._held: list[Record] = []
        self._wanted: frozenset[str] | None = None
        self._changing: set[str] = set()
        self._settled: set[str] = set()
        self._subscribed: set[str] = set()
        self._told: set[str] = set()
        self._begun = False
        self._opened = 0.0

    def read(self) -> Life:
        for record in self._records:
            self._take(record)
        return Life(self._first.client, self._first.user, self._stretches, list(self._records))

    def _begin(self, record: Record, cursor: Cursor | None, reset: str | None) -> None:
        if self._stretch is not None:
            self._stretch.reset = reset
        self._stretch = None
        self._base = cursor
        self._held = []
        self._told.clear()
        if cursor is not None:
            self._stretch = Stretch(record.client, record.user, wall(record.at))
            self._stretch.cursors.append((wall(record.at), cursor))
            self._stretches.append(self._stretch)

    def _take(self, record: Record) -> None:
        if record.kind in OWN:
            self._own(record)
        elif record.kind == "auth_success" and not self._begun:
            self._begun = True
            if record.body["resume"] == "live" and record.cursor is not None:
                self._begin(record, parse(record.cursor), "live")
            elif record.body["resume"] == "resumed" and record.cursor is not None:
                self._base = parse(record.cursor)
        elif record.kind == "reset":
            self._begin(record, parse(record.cursor or ""), str(record.body["reason"]))
        else:
            self._message(record)

    def _own(self, record: Record) -> None:
        kind, body = record.kind, record.body
        if kind == "connect":
            self._wanted = None if body["boards"] is None else frozenset(body["boards"])
            for each in (self._changing, self._settled, self._subscribed, self._told):
                each.clear()
            self._held, self._begun, self._opened = [], False, wall(record.at)
        elif kind == "cut":
            self._held = []
        elif kind in {"subscribing", "unsubscribing"}:
            self._change(kind, set(body["boards"]))
        elif kind == "page":
            self._page(record)
        elif kind == "refused" and body["problem"].get("type", "").endswith("cursor-reset"):
            self._begin(record, None, str(body["problem"].get("reason")))

    def _change(self, kind: str, boards: set[str]) -> None:
        if self._wanted is not None:
            self._wanted = self._wanted | boards if kind == "subscribing" else self._wanted - boards
        self._changing |= boards

    def _message(self, record: Record) -> None:
        body = record.body
        if record.kind == "subscribed" and self._wanted is not None:
            boards = set(body["boards"])
            # Not those of a later request, whose answer is still to come.
            self._settled = {board for board in self._changing if (board in boards) == (board in self._wanted)}
            self._subscribed |= boards
        if "seq" in body or record.kind in MEMBERSHIP:
            self._held.append(record)
        if record.cursor is None or self._base is None or self._stretch is None:
            return
        until = parse(record.cursor)
        if until != self._base or self._held:
            self._stretch.windows.append(
                Window(
                    record.client,
                    record.user,
                    record.connection,
                    f"{record.transport} of {record.endpoint}",
                    self._base,
                    until,
                    self._held,
                    wall(record.at),
                    self._wanted,
                    frozenset(self._changing),
                    frozenset(self._told),
                    frozenset(self._subscribed),
                    self._opened,
                )
            )
            self._told |= {each.body["boardId"] for each in self._held if each.kind in MEMBERSHIP}
            self._stretch.cursors.append((wall(record.at), until))
            self._subscribed.clear()
        self._base, self._held = until, []
        self._changing -= self._settled
        self._settled.clear()

    def _page(self, record: Record) -> None:
        until, body = parse(record.cursor or ""), record.body
        if body["since"] is None or self._stretch is None:
            self._begin(record, until, "polled everything")
        stretch = self._stretch
        if stretch is None:
            return
        since = None if body["since"] is None else parse(body["since"])
        place = f"polling of {record.endpoint}"
        stretch.pages.append(Page(record.client, record.user, place, since, until, body["answer"], wall(record.at)))
        stretch.cursors.append((wall(record.at), until))
        self._base, self._held = until, []
