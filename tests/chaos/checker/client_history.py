"""Parses a client's journal into segments between resets, and segments into windows between two cursors.

A window is what a client applied in one step: from the cursor `since`, its messages lead to the cursor `until`.
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
CLIENT_ACTIONS = frozenset(
    {"connect", "cut", "refused", "subscribing", "unsubscribing", "page", "snapshot", "compare", "final"}
)
"""Records of actions of the client, as opposed to received messages."""
_TO_WALL = time.time() - time.monotonic()


def wall_time(at: float) -> float:
    """The time of a record on the database's clock."""
    return at + _TO_WALL


@dataclass
class Window:
    client: str
    user: str
    connection: int
    source: str
    since: Cursor
    until: Cursor
    messages: list[Record]
    at: float
    """When `until` was received, on the wall clock."""
    wanted: frozenset[str] | None
    changing: frozenset[str]
    """Boards that were subscribed or unsubscribed within the window, at an unknown position."""
    memberships_sent: frozenset[str] = frozenset()
    """Boards of `board_granted` and `board_revoked` messages, earlier on this connection."""
    subscribed: frozenset[str] = frozenset()
    """Boards in `subscribed` messages within the window."""
    opened: float = 0.0
    """When its connection was opened. A slow client receives messages long after they were sent."""


@dataclass
class Page:
    """A response to a poll; `since` is None for the first one."""

    client: str
    user: str
    source: str
    since: Cursor | None
    until: Cursor
    answer: dict[str, Any]
    at: float


@dataclass
class Segment:
    """`reset` is the reason of the reset that ended the segment; None if it lasts to the end of the run."""

    client: str
    user: str
    started: float
    windows: list[Window] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    reset: str | None = None
    cursors: list[tuple[float, Cursor]] = field(default_factory=list)
    """Every cursor of the client, with the time at which it was received."""


@dataclass
class ClientHistory:
    """The segments and records of one client."""

    client: str
    user: str
    segments: list[Segment]
    records: list[Record]


def read_histories(records: Iterable[Record]) -> list[ClientHistory]:
    """Parse the journals of all clients."""
    by_client: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_client[record.client].append(record)
    return [_Reader(records).read() for records in by_client.values()]


class _Reader:
    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._first = records[0]
        self._segments: list[Segment] = []
        self._segment: Segment | None = None
        self._base: Cursor | None = None
        self._held: list[Record] = []
        self._wanted: frozenset[str] | None = None
        self._changing: set[str] = set()
        self._settled: set[str] = set()
        self._subscribed: set[str] = set()
        self._memberships_sent: set[str] = set()
        self._authenticated = False
        self._opened = 0.0

    def read(self) -> ClientHistory:
        for record in self._records:
            self._process(record)
        return ClientHistory(self._first.client, self._first.user, self._segments, list(self._records))

    def _begin(self, record: Record, cursor: Cursor | None, reset: str | None) -> None:
        if self._segment is not None:
            self._segment.reset = reset
        self._segment = None
        self._base = cursor
        self._held = []
        self._memberships_sent.clear()
        if cursor is not None:
            self._segment = Segment(record.client, record.user, wall_time(record.at))
            self._segment.cursors.append((wall_time(record.at), cursor))
            self._segments.append(self._segment)

    def _process(self, record: Record) -> None:
        if record.kind in CLIENT_ACTIONS:
            self._own(record)
        elif record.kind == "auth_success" and not self._authenticated:
            self._authenticated = True
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
            for each in (self._changing, self._settled, self._subscribed, self._memberships_sent):
                each.clear()
            self._held, self._authenticated, self._opened = [], False, wall_time(record.at)
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
            # Excludes boards of a later request whose response is still to come.
            self._settled = {board for board in self._changing if (board in boards) == (board in self._wanted)}
            self._subscribed |= boards
        if "seq" in body or record.kind in MEMBERSHIP:
            self._held.append(record)
        if record.cursor is None or self._base is None or self._segment is None:
            return
        until = parse(record.cursor)
        if until != self._base or self._held:
            self._segment.windows.append(
                Window(
                    record.client,
                    record.user,
                    record.connection,
                    f"{record.transport} of {record.endpoint}",
                    self._base,
                    until,
                    self._held,
                    wall_time(record.at),
                    self._wanted,
                    frozenset(self._changing),
                    frozenset(self._memberships_sent),
                    frozenset(self._subscribed),
                    self._opened,
                )
            )
            self._memberships_sent |= {each.body["boardId"] for each in self._held if each.kind in MEMBERSHIP}
            self._segment.cursors.append((wall_time(record.at), until))
            self._subscribed.clear()
        self._base, self._held = until, []
        self._changing -= self._settled
        self._settled.clear()

    def _page(self, record: Record) -> None:
        until, body = parse(record.cursor or ""), record.body
        if body["since"] is None or self._segment is None:
            self._begin(record, until, "polled everything")
        segment = self._segment
        if segment is None:
            return
        since = None if body["since"] is None else parse(body["since"])
        source = f"polling of {record.endpoint}"
        segment.pages.append(
            Page(record.client, record.user, source, since, until, body["answer"], wall_time(record.at))
        )
        segment.cursors.append((wall_time(record.at), until))
        self._base, self._held = until, []
