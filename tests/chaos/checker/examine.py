"""A window beside the truth: what was to be sent in it, and which change each of its messages tells."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.chaos.checker.members import Members, board_of, step, user_of
from tests.chaos.checker.stretches import Life, Stretch, Window
from tests.chaos.checker.truth import ANEW, Change, Truth, canonical
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
"""Seconds by which two clocks of one machine may differ, as they are read one after the other."""


Chains = defaultdict[tuple[tuple[str, str | None], str | None], list[Change]]
"""The changes of a window by row and board."""


@dataclass(frozen=True)
class Match:
    """A message and the change it tells; None if there was never such a change. `tells`: that one and those collapsed into it."""

    record: Record
    change: Change | None
    tells: tuple[Change, ...] = ()


@dataclass
class Examined:
    window: Window
    stretch: Stretch
    at: float
    """What was written later cannot have been meant by its cursor."""
    era: int = 0
    matches: list[Match] = field(default_factory=list)
    expected: list[Change] = field(default_factory=list)
    """Every change between the cursors, in order."""
    required: list[Change] = field(default_factory=list)
    """Those of them that the client had to be sent."""
    visible: set[int] = field(default_factory=set)
    """The places in `expected` of those that its user could see."""
    resynced: set[str | None] = field(default_factory=set)
    unknown: set[str | None] = field(default_factory=set)
    """Boards of which it is not known whether the user saw them."""
    before: frozenset[str] = frozenset()
    """The boards that the user saw at `since`."""
    after: frozenset[str] = frozenset()

    @property
    def where(self) -> str:
        window = self.window
        return f"{window.client} ({window.user}, {window.place}, connection {window.connection})"

    def told(self) -> set[int]:
        """The identities of all changes that its messages tell."""
        return {id(change) for match in self.matches for change in match.tells}


class Examiner:
    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.members = Members(truth)
        self._feeds: dict[str, float] = {}
        """When each feed was seen for the first time."""
        self._lost = {id(change): era for era, changes in truth.lost.items() for change in changes}

    def examine(self, lives: list[Life]) -> list[Examined]:
        self._feeds.clear()
        for at, cursor in (place for life in lives for stretch in life.stretches for place in stretch.cursors):
            self._feeds[cursor.feed] = min(at, self._feeds.get(cursor.feed, at))
        found = []
        for life in lives:
            eras: dict[int, int] = {}
            for stretch in life.stretches:
                for window in stretch.windows:
                    era = eras[window.connection] = self._era(window, eras.get(window.connection, 0))
                    found.append(self._window(stretch, window, era))
        return found

    def _era(self, window: Window, era: int) -> int:
        """Of which primary a window is.

        Of the one that alone wrote what it tells; else of the newest when its connection was opened, or its feed was first seen.
        """
        seen = self._feeds[window.until.feed]
        for number, old in enumerate(self._truth.discarded, 1):
            if old.at < window.opened or old.last + LATENESS < seen:
                era = max(era, number)
        for record in window.messages:
            changes = self._meant(record) if "seq" in record.body else []
            if changes and all(change.lost for change in changes):
                return self._lost[id(changes[0])]
            for change in changes:
                while not change.lost and change.at > self._truth.ended(era):
                    era += 1
        return era

    def _window(self, stretch: Stretch, window: Window, era: int) -> Examined:
        at = min(window.at + LATENESS, self._truth.ended(era))
        examined = Examined(window, stretch, at, era)
        examined.expected = self._truth.between(window.since, window.until, at, era)
        examined.before = self.members.at(window.user, window.since, at, era)
        examined.after = self.members.at(window.user, window.until, at, era)
        examined.unknown = self.members.unknown(window.user, at)
        examined.resynced = {record.body["boardId"] for record in window.messages if record.kind == "resync"}
        self._see(examined)
        chains: Chains = defaultdict(list)
        for change in examined.expected:
            chains[change.row, change.board].append(change)
        examined.matches = [self._match(examined, chains, record) for record in window.messages if "seq" in record.body]
        return examined

    def _see(self, examined: Examined) -> None:
        """Find what was visible at its place, and what of that had to be sent."""
        window, boards = examined.window, set(examined.before)
        unsettled = self._unsettled(examined)
        for place, change in enumerate(examined.expected):
            if change.op in ANEW and change.relation != "feed.flags":
                examined.visible.add(place)
                if not change.lost and None not in examined.resynced:
                    examined.required.append(change)
            elif change.board is not None and change.board in boards:
                examined.visible.add(place)
                wanted = window.wanted is None or change.board in window.wanted
                if wanted and not change.lost and change.board not in unsettled | examined.resynced:
                    examined.required.append(change)
            if change.relation == "board_members" and user_of(change) in {window.user, "*"}:
                step(boards, change)

    def _unsettled(self, examined: Examined) -> set[str | None]:
        """Boards whose events in this window may, but need not, have been sent.

        Of a board that the user was let onto, or off it, since `since` and before `until` came: whoever catches up is sent
        `board_granted` or `board_revoked` at the last such change, and may have been sent nothing of the board before.
        """
        window = examined.window
        unsettled = examined.unknown | set(window.changing)
        for change in self.members.of(window.user, window.since):
            if change.at <= examined.at:
                board = board_of(change)
                unsettled |= {board} if board is not None else examined.before
        return unsettled

    def _match(self, examined: Examined, chains: Chains, record: Record) -> Match:
        body, found = record.body, self._meant(record)
        if not found:
            return Match(record, None)
        change = next((each for each in reversed(found) if each.at <= examined.at), found[0])
        if record.kind == "resync":
            return Match(record, change, tuple(each for each in examined.expected if each.board == change.board))
        chain = chains.get((change.row, change.board), [])
        size = int(body.get("collapsed") or 1)
        place = next((place for place, each in enumerate(chain, 1) if each is change), None)
        return Match(record, change, (change,) if place is None else tuple(chain[max(0, place - size) : place]))

    def _meant(self, record: Record) -> list[Change]:
        """The changes that a message may be of: two where a tail was lost and the next primary used its numbers again.

        Even row and version may be the same in both. The origin is not: each of the writers' transactions has its own.
        """
        found = [change for change in self._truth.by_seq.get(record.body["seq"], []) if same(change, record)]
        return [change for change in found if change.origin == record.body.get("origin")] or found


def same(change: Change, record: Record) -> bool:
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
    fits = int(body.get("collapsed", 1)) > 1 or change.op in OPS.get(record.kind, set())
    return fits and change.key == canonical(relation, key)
