"""The tables as they were at a cursor, from the audit.

Of two cursors of one server one covers the other: so questions are answered in one walk through the history, in their order.
Another server may show a later transaction before an earlier one: cursors that do not fit into the walk have one of their own.
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
    """Rows by board and key. The hash of a board is kept up to date, as its rows may be many."""

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
class Question:
    """`judge` says what is wrong with what a client was sent, beside the tables at this cursor; None: nothing."""

    cursor: Cursor
    at: float
    judge: Callable[[Tables], Verdict | None]
    opened: float
    """When its connection was opened: it was sent between the two times."""


def answer(truth: Truth, questions: Sequence[Question]) -> Iterable[Verdict]:
    """Judge each question in the history that its cursor is of; where that is not clear, it must be wrong in each."""
    found: defaultdict[int, list[Verdict | None]] = defaultdict(list)
    spanning = _spanning(truth, questions)
    for era in range(len(truth.discarded) + 1):
        history = _History(truth, era)
        for chain in _chains(truth, [each for each in questions if _may_be_of(truth, era, each)], spanning):
            for walk in _walks(chain):
                for question, verdict in history.walk(walk):
                    found[id(question)].append(verdict)
    for question in questions:
        verdicts = found[id(question)]
        if verdicts and all(verdict is not None for verdict in verdicts) and verdicts[-1] is not None:
            yield verdicts[-1]


def _may_be_of(truth: Truth, era: int, question: Question) -> bool:
    began = truth.ended(era - 1) if era > 0 else 0.0
    ended = truth.discarded[era].at + LATENESS if era < len(truth.discarded) else float("inf")
    return began <= question.at and question.opened <= ended


def _spanning(truth: Truth, questions: Iterable[Question]) -> set[str]:
    """The feeds that outlived a promotion: their cursors from before it and after it are of two histories."""
    spans: dict[str, tuple[float, float]] = {}
    for question in questions:
        first, last = spans.get(question.cursor.feed, (question.at, question.opened))
        spans[question.cursor.feed] = min(first, question.at), max(last, question.opened)
    return {
        feed
        for feed, (first, last) in spans.items()
        if any(first < old.last and last > old.at + LATENESS for old in truth.discarded)
    }


def _chains(truth: Truth, questions: Iterable[Question], spanning: set[str]) -> Iterable[list[Question]]:
    """Those whose cursors are of one history for sure; any other by itself, as the same numbers mean something else there."""
    sure: defaultdict[str, list[Question]] = defaultdict(list)
    eras = range(len(truth.discarded) + 1)
    for question in questions:
        if question.cursor.feed in spanning and sum(_may_be_of(truth, era, question) for era in eras) > 1:
            yield [question]
        else:
            sure[question.cursor.feed].append(question)
    yield from sure.values()


def _walks(questions: Iterable[Question]) -> list[list[Question]]:
    """Lists in each of which every cursor covers the ones before it."""
    walks: list[list[Question]] = []
    for question in sorted(questions, key=lambda each: (each.cursor.xmax, -len(each.cursor.xip), each.cursor.xmin)):
        walk = next((walk for walk in walks if question.cursor.covers(walk[-1].cursor)), None)
        if walk is None:
            walks.append([question])
        else:
            walk.append(question)
    return walks


class _History:
    """Of one primary: what it got from the one before it, and what it wrote itself."""

    def __init__(self, truth: Truth, era: int) -> None:
        entries = truth.entries
        if era < len(truth.discarded):
            old = truth.discarded[era]
            entries = [entry for entry in entries if entry.at <= old.last] + list(old.entries)
        self._by_xid: defaultdict[int, list[Entry]] = defaultdict(list)
        for entry in sorted(entries, key=lambda entry: entry.seq):
            # A write that changed nothing is not in the log, so a cursor may cover it later than what was written after it.
            if entry.op != "update" or entry.old != entry.new:
                self._by_xid[entry.xid].append(entry)
        self._xids = sorted(self._by_xid)

    def walk(self, questions: Iterable[Question]) -> Iterable[tuple[Question, Verdict | None]]:
        tables, seen = Tables(), _Seen()
        for question in questions:
            new = [xid for xid in seen.candidates(self._xids, question.cursor) if question.cursor.covers_xid(xid)]
            for entry in sorted((e for xid in new for e in self._by_xid[xid]), key=lambda entry: entry.seq):
                tables.apply(entry)
            seen.add(new, question.cursor)
            yield question, question.judge(tables)


class _Seen:
    """The transactions that a walk has taken in: all below a bound, but for those that were in progress."""

    def __init__(self) -> None:
        self._bound = 0
        self._left: set[int] = set()

    def candidates(self, xids: list[int], cursor: Cursor) -> list[int]:
        later = xids[bisect_left(xids, self._bound) : bisect_right(xids, cursor.xmax)]
        return sorted(self._left) + later

    def add(self, new: Iterable[int], cursor: Cursor) -> None:
        self._left |= {xid for xid in cursor.xip if xid >= self._bound}
        self._left -= set(new)
        self._bound = max(self._bound, cursor.xmax)


def keys_of(entries: Iterable[Entry]) -> set[str]:
    """The rows that were written past the log: nothing can be said of them at a cursor."""
    return {key_of(entry.relation, entry.new or entry.old or {}) for entry in entries if entry.op != "truncate"}
