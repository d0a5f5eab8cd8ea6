"""Compares windows with the truth: what had to be sent in each, and which change each of its messages delivers."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.chaos.checker.client_history import ClientHistory, Segment, Window
from tests.chaos.checker.members import Members, apply, board_of, user_of
from tests.chaos.checker.truth import RELOADS, Change, Truth, canonical
from tests.chaos.model import Record

OPS = {
    "opportunity_created": {"insert", "enter"},
    "opportunity_updated": {"update"},
    "opportunity_moved": {"update"},
    "opportunity_deleted": {"delete", "leave"},
    "row_inserted": {"insert", "enter"},
    "row_updated": {"update"},
    "row_deleted": {"delete", "leave"},
}
LATENESS = 0.25
"""Seconds by which two clock readings of one machine may differ."""


Chains = defaultdict[tuple[tuple[str, str | None], str | None], list[Change]]
"""The changes of a window by row and board."""


@dataclass(frozen=True)
class Match:
    """A message and its change, None if no such change exists. `delivers`: that change and those collapsed into it."""

    record: Record
    change: Change | None
    delivers: tuple[Change, ...] = ()


@dataclass
class Examined:
    window: Window
    segment: Segment
    at: float
    """The cursor cannot cover what was written after this time."""
    timeline: int = 0
    matches: list[Match] = field(default_factory=list)
    expected: list[Change] = field(default_factory=list)
    """Every change between the cursors, in order."""
    required: list[Change] = field(default_factory=list)
    """The changes in `expected` that had to be sent to the client."""
    visible: set[int] = field(default_factory=set)
    """The indexes in `expected` of the changes that the user could see."""
    resynced: set[str | None] = field(default_factory=set)
    unknown: set[str | None] = field(default_factory=set)
    """Boards for which it is unknown whether the user saw them."""
    before: frozenset[str] = frozenset()
    """The boards that the user saw at `since`."""
    after: frozenset[str] = frozenset()

    @property
    def where(self) -> str:
        window = self.window
        return f"{window.client} ({window.user}, {window.source}, connection {window.connection})"

    def delivered(self) -> set[int]:
        """The identities of all changes that its messages deliver."""
        return {id(change) for match in self.matches for change in match.delivers}


class Examiner:
    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.members = Members(truth)
        self._feeds: dict[str, float] = {}
        """When the first cursor of each feed was seen."""
        self._lost = {id(change): timeline for timeline, changes in truth.lost.items() for change in changes}

    def examine(self, histories: list[ClientHistory]) -> list[Examined]:
        self._feeds.clear()
        for at, cursor in (pair for history in histories for segment in history.segments for pair in segment.cursors):
            self._feeds[cursor.feed] = min(at, self._feeds.get(cursor.feed, at))
        found = []
        for history in histories:
            timelines: dict[int, int] = {}
            for segment in history.segments:
                for window in segment.windows:
                    timeline = timelines[window.connection] = self._timeline(
                        window, timelines.get(window.connection, 0)
                    )
                    found.append(self._window(segment, window, timeline))
        return found

    def _timeline(self, window: Window, timeline: int) -> int:
        """The timeline (the primary) that a window belongs to.

        The one that alone wrote its changes; otherwise the newest when its connection was opened, or its feed first seen.
        """
        seen = self._feeds[window.until.feed]
        for number, old in enumerate(self._truth.discarded, 1):
            if old.at < window.opened or old.last + LATENESS < seen:
                timeline = max(timeline, number)
        for record in window.messages:
            changes = self._candidates(record) if "seq" in record.body else []
            if changes and all(change.lost for change in changes):
                return self._lost[id(changes[0])]
            for change in changes:
                while not change.lost and change.at > self._truth.ended(timeline):
                    timeline += 1
        return timeline

    def _window(self, segment: Segment, window: Window, timeline: int) -> Examined:
        at = min(window.at + LATENESS, self._truth.ended(timeline))
        examined = Examined(window, segment, at, timeline)
        examined.expected = self._truth.between(window.since, window.until, at, timeline)
        examined.before = self.members.at(window.user, window.since, at, timeline)
        examined.after = self.members.at(window.user, window.until, at, timeline)
        examined.unknown = self.members.unknown(window.user, at)
        examined.resynced = {record.body["boardId"] for record in window.messages if record.kind == "resync"}
        self._see(examined)
        chains: Chains = defaultdict(list)
        for change in examined.expected:
            chains[change.row, change.board].append(change)
        examined.matches = [self._match(examined, chains, record) for record in window.messages if "seq" in record.body]
        return examined

    def _see(self, examined: Examined) -> None:
        """Find the changes that were visible at their position, and those of them that had to be sent."""
        window, boards = examined.window, set(examined.before)
        unsettled = self._unsettled(examined)
        for index, change in enumerate(examined.expected):
            if change.op in RELOADS and change.relation != "feed.flags":
                examined.visible.add(index)
                if not change.lost and None not in examined.resynced:
                    examined.required.append(change)
            elif change.board is not None and change.board in boards:
                examined.visible.add(index)
                wanted = window.wanted is None or change.board in window.wanted
                if wanted and not change.lost and change.board not in unsettled | examined.resynced:
                    examined.required.append(change)
            if change.relation == "board_members" and user_of(change) in {window.user, "*"}:
                apply(boards, change)

    def _unsettled(self, examined: Examined) -> set[str | None]:
        """Boards whose events in this window may have been sent, but did not have to be.

        These are boards that the user was added to or removed from between `since` and `until`: a recovering client gets
        `board_granted` or `board_revoked` at the last such change, and possibly no events of the board before it.
        """
        window = examined.window
        unsettled = examined.unknown | set(window.changing)
        for change in self.members.of(window.user, window.since):
            if change.at <= examined.at:
                board = board_of(change)
                unsettled |= {board} if board is not None else examined.before
        return unsettled

    def _match(self, examined: Examined, chains: Chains, record: Record) -> Match:
        body, found = record.body, self._candidates(record)
        if not found:
            return Match(record, None)
        change = next((each for each in reversed(found) if each.at <= examined.at), found[0])
        if record.kind == "resync":
            return Match(record, change, tuple(each for each in examined.expected if each.board == change.board))
        chain = chains.get((change.row, change.board), [])
        size = int(body.get("collapsed") or 1)
        index = next((index for index, each in enumerate(chain, 1) if each is change), None)
        return Match(record, change, (change,) if index is None else tuple(chain[max(0, index - size) : index]))

    def _candidates(self, record: Record) -> list[Change]:
        """The changes that a message may deliver: two if a tail was lost and the next primary reused its numbers.

        Both may even have the same row and version, but not the same origin: each transaction of the writers has its own.
        """
        found = [change for change in self._truth.by_seq.get(record.body["seq"], []) if matches(change, record)]
        return [change for change in found if change.origin == record.body.get("origin")] or found


def matches(change: Change, record: Record) -> bool:
    body = record.body
    if str(change.xid) != body["xid"]:
        return False
    if record.kind == "resync":
        return bool(change.board == body["boardId"])
    if change.board != body["boardId"] or change.version != body["version"]:
        return False
    relation, key = body.get("table", "opportunities"), body.get("opportunityId", body.get("key"))
    if change.relation != relation:
        return False
    op_matches = int(body.get("collapsed", 1)) > 1 or change.op in OPS.get(record.kind, set())
    return op_matches and change.key == canonical(relation, key)
