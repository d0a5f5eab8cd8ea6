"""The tables at a cursor, reconstructed from the audit.

Of two cursors of one server, one covers the other, so checks run in one walk through the history, in order of their cursors.
Another server may show transactions in another order: cursors that do not fit into a walk start a new one.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.chaos.checker.examine import LATENESS
from tests.chaos.checker.truth import Entry, Row, Truth, key_of
from tests.chaos.clients.cursor import Cursor
from tests.chaos.clients.rowhash import row_hash
from tests.chaos.model import Verdict

_MASK = 0xFFFFFFFF


class Tables:
    """Rows by board and key. The hash of each board is updated incrementally, since boards may be large."""

    def __init__(self) -> None:
        self.cards: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        self.members: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.boards: dict[str, Row] = {}
        self._sums: defaultdict[str, int] = defaultdict(int)

    def checkpoint(self, board: str) -> tuple[int, str]:
        return len(self.cards[board]), f"{self._sums[board] & _MASK:08x}"

    def apply(self, entry: Entry) -> None:
        if entry.relation == "opportunities":
            self._cards(entry)
        elif entry.relation == "board_members":
            if entry.op == "truncate":
                self.members.clear()
            if entry.old is not None:
                self.members[entry.old["board_id"]].pop(entry.old["user_id"], None)
            if entry.new is not None:
                self.members[entry.new["board_id"]][entry.new["user_id"]] = entry.new["role"]
        elif entry.relation == "boards":
            if entry.op == "truncate":
                self.boards.clear()
            if entry.old is not None:
                self.boards.pop(entry.old["id"], None)
            if entry.new is not None:
                self.boards[entry.new["id"]] = entry.new

    def _cards(self, entry: Entry) -> None:
        if entry.op == "truncate":
            self.cards.clear()
            self._sums.clear()
        if entry.old is not None:
            before = self.cards[entry.old["board_id"]].pop(entry.old["id"], None)
            if before is not None:
                self._sums[entry.old["board_id"]] -= row_hash(before["id"], before["version_number"])
        if entry.new is not None:
            self.cards[entry.new["board_id"]][entry.new["id"]] = entry.new
            self._sums[entry.new["board_id"]] += row_hash(entry.new["id"], entry.new["version_number"])


@dataclass(frozen=True, eq=False)
class TableCheck:
    """`judge` compares what a client received with the tables at `cursor` and returns a verdict, or None."""

    cursor: Cursor
    at: float
    judge: Callable[[Tables], Verdict | None]
    opened: float
    """When its connection was opened: the message was sent between the two times."""


def run_checks(truth: Truth, checks: Sequence[TableCheck]) -> Iterable[Verdict]:
    """Run each check in the timeline of its cursor; if that is ambiguous, it must fail in every possible one."""
    found: defaultdict[int, list[Verdict | None]] = defaultdict(list)
    spanning = _spanning(truth, checks)
    for timeline in range(len(truth.discarded) + 1):
        history = _History(truth, timeline)
        for chain in _chains(truth, [each for each in checks if _may_belong_to(truth, timeline, each)], spanning):
            for walk in _walks(chain):
                for check, verdict in history.walk(walk):
                    found[id(check)].append(verdict)
    for check in checks:
        verdicts = found[id(check)]
        if verdicts and all(verdict is not None for verdict in verdicts) and verdicts[-1] is not None:
            yield verdicts[-1]


def _may_belong_to(truth: Truth, timeline: int, check: TableCheck) -> bool:
    began = truth.ended(timeline - 1) if timeline > 0 else 0.0
    ended = truth.discarded[timeline].at + LATENESS if timeline < len(truth.discarded) else float("inf")
    return began <= check.at and check.opened <= ended


def _spanning(truth: Truth, checks: Iterable[TableCheck]) -> set[str]:
    """The feeds that survived a promotion: their cursors before and after it belong to two timelines."""
    spans: dict[str, tuple[float, float]] = {}
    for check in checks:
        first, last = spans.get(check.cursor.feed, (check.at, check.opened))
        spans[check.cursor.feed] = min(first, check.at), max(last, check.opened)
    return {
        feed
        for feed, (first, last) in spans.items()
        if any(first < old.last and last > old.at + LATENESS for old in truth.discarded)
    }


def _chains(truth: Truth, checks: Iterable[TableCheck], spanning: set[str]) -> Iterable[list[TableCheck]]:
    """Group checks whose cursors surely belong to one timeline; ambiguous ones are alone, since transaction ids were reused."""
    unambiguous: defaultdict[str, list[TableCheck]] = defaultdict(list)
    timelines = range(len(truth.discarded) + 1)
    for check in checks:
        if check.cursor.feed in spanning and sum(_may_belong_to(truth, timeline, check) for timeline in timelines) > 1:
            yield [check]
        else:
            unambiguous[check.cursor.feed].append(check)
    yield from unambiguous.values()


def _walks(checks: Iterable[TableCheck]) -> list[list[TableCheck]]:
    """Split checks into lists in which every cursor covers the previous ones."""
    walks: list[list[TableCheck]] = []
    for check in sorted(checks, key=lambda each: (each.cursor.xmax, -len(each.cursor.xip), each.cursor.xmin)):
        walk = next((walk for walk in walks if check.cursor.covers(walk[-1].cursor)), None)
        if walk is None:
            walks.append([check])
        else:
            walk.append(check)
    return walks


class _History:
    """The history of one primary: what it inherited from the previous one, and its own writes."""

    def __init__(self, truth: Truth, timeline: int) -> None:
        entries = truth.entries
        if timeline < len(truth.discarded):
            old = truth.discarded[timeline]
            entries = [entry for entry in entries if entry.at <= old.last] + list(old.entries)
        self._by_xid: defaultdict[int, list[Entry]] = defaultdict(list)
        for entry in sorted(entries, key=lambda entry: entry.seq):
            # An update without changes is not in the log, so a cursor may cover it later than newer writes.
            if entry.op != "update" or entry.old != entry.new:
                self._by_xid[entry.xid].append(entry)
        self._xids = sorted(self._by_xid)

    def walk(self, checks: Iterable[TableCheck]) -> Iterable[tuple[TableCheck, Verdict | None]]:
        tables, seen = Tables(), _Seen()
        for check in checks:
            new = [xid for xid in seen.candidates(self._xids, check.cursor) if check.cursor.covers_xid(xid)]
            for entry in sorted((e for xid in new for e in self._by_xid[xid]), key=lambda entry: entry.seq):
                tables.apply(entry)
            seen.add(new, check.cursor)
            yield check, check.judge(tables)


class _Seen:
    """The transactions that a walk has applied: all below a bound, except those in progress."""

    def __init__(self) -> None:
        self._bound = 0
        self._in_progress: set[int] = set()

    def candidates(self, xids: list[int], cursor: Cursor) -> list[int]:
        later = xids[bisect_left(xids, self._bound) : bisect_right(xids, cursor.xmax)]
        return sorted(self._in_progress) + later

    def add(self, new: Iterable[int], cursor: Cursor) -> None:
        self._in_progress |= {xid for xid in cursor.xip if xid >= self._bound}
        self._in_progress -= set(new)
        self._bound = max(self._bound, cursor.xmax)


def keys_of(entries: Iterable[Entry]) -> set[str]:
    """The rows written without the log: their state at a cursor is unknown."""
    return {key_of(entry.relation, entry.new or entry.old or {}) for entry in entries if entry.op != "truncate"}
