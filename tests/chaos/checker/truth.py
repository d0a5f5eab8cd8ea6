"""What really happened: the tables' own audit, and the order that the feed's log gives it.

Invariant: images come from the audit trigger alone. The log says in which order, under which number and on which board each change
was to be sent. What only a discarded primary knew is kept apart, as `lost`.
"""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg

from tests.chaos.clients.cursor import Cursor

Row = dict[str, Any]
_HERE = Path(__file__).parent
ANEW = frozenset({"truncate", "reload"})


@dataclass(frozen=True, eq=False)
class Entry:
    """A row of the audit; `at` is in seconds of the wall clock."""

    seq: int
    xid: int
    at: float
    relation: str
    op: str
    old: Row | None
    new: Row | None

    def key(self) -> str:
        row = self.new or self.old or {}
        return key_of(self.relation, row)

    def moves(self) -> Iterator[tuple[str, str]]:
        """The changes that readers are to be sent of it: (op, key)."""
        if self.op != "update" or self.old is None or self.new is None:
            yield self.op, self.key()
        elif key_of(self.relation, self.old) != self.key():
            yield "delete", key_of(self.relation, self.old)
            yield "insert", self.key()
        elif board_of(self.relation, self.old) != board_of(self.relation, self.new):
            yield "leave", self.key()
            yield "enter", self.key()
        elif self.old != self.new:
            yield "update", self.key()


@dataclass(frozen=True, eq=False)
class Change:
    """A row of the log. Its images are None where audit and log do not agree on what happened to the row in the transaction."""

    seq: int
    xid: int
    at: float
    relation: str
    op: str
    key: str | None
    board: str | None
    version: int | None
    actor: str | None
    origin: str | None
    old: Row | None = None
    new: Row | None = None
    lost: bool = False
    part: str = ""
    """The partition of feed.log that it was written to."""

    @property
    def row(self) -> tuple[str, str | None]:
        return self.relation, self.key


@dataclass(frozen=True)
class Discarded:
    """What a primary held that was thrown away after a promotion."""

    entries: Sequence[Entry]
    changes: Sequence[Change]
    at: float
    """When it was read: everything that is received later is of the new primary."""

    last: float
    """When it was written to for the last time."""


@dataclass
class Truth:
    entries: list[Entry] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    disagreed: list[str] = field(default_factory=list)
    """Transactions and rows of which audit and log tell different stories, each in words."""
    uncaptured: list[Entry] = field(default_factory=list)
    discarded: list[Discarded] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_seq: defaultdict[int, list[Change]] = defaultdict(list)
        self.by_xid: defaultdict[int, list[Change]] = defaultdict(list)
        self.lost: dict[int, list[Change]] = {}
        for change in self.changes:
            self.by_seq[change.seq].append(change)
            self.by_xid[change.xid].append(change)
        for place, each in enumerate(self.discarded):
            self.lost[place] = [change for change in each.changes if change.lost]
            for change in self.lost[place]:
                self.by_seq[change.seq].append(change)
        self.xids = sorted(self.by_xid)
        self.origins = {change.origin for change in self.changes if change.origin is not None}

    def lost_in(self, era: int) -> list[Change]:
        """What the primary of an era had and the next one has not; eras are counted from the first primary."""
        return self.lost.get(era, [])

    def ended(self, era: int) -> float:
        """When the primary of an era was written to for the last time."""
        return self.discarded[era].last if era < len(self.discarded) else float("inf")

    def between(self, since: Cursor, until: Cursor, at: float, era: int) -> list[Change]:
        """What a reader who stood at `since` was to be sent to stand at `until`, in the order of delivery.

        Without what was written later than `at`, when `until` came: that is of a history in which the numbers were used again.
        """
        xids = [xid for xid in _range(self.xids, since.xmin, until.xmax) if _new(xid, since, until)]
        found = {xid: [change for change in self.by_xid[xid] if change.at <= at] for xid in xids}
        for change in self.lost_in(era):
            if _new(change.xid, since, until):
                found.setdefault(change.xid, []).append(change)
        whole = [sorted(changes, key=lambda change: change.seq) for changes in found.values() if changes]
        return [change for changes in sorted(whole, key=lambda changes: changes[-1].seq) for change in changes]


def _new(xid: int, since: Cursor, until: Cursor) -> bool:
    return until.covers_xid(xid) and not since.covers_xid(xid)


def _range(numbers: list[int], low: int, high: int) -> list[int]:
    return numbers[bisect_left(numbers, low) : bisect_left(numbers, high)]


def key_of(relation: str, row: Row) -> str:
    if relation == "board_members":
        return json.dumps([row["board_id"], row["user_id"]])
    return str(row["id"])


def board_of(relation: str, row: Row) -> str | None:
    board: str | None = row["id"] if relation == "boards" else row["board_id"]
    return board


def canonical(relation: str, key: str | None) -> str | None:
    """The key as `key_of` writes it."""
    if relation != "board_members" or key is None:
        return key
    return json.dumps(json.loads(key))


def install(dsn: str) -> None:
    """Begin to audit: after the migration, and before the first row."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(_sql("audit.sql"))


def read(dsn: str) -> tuple[list[Entry], list[Change]]:
    """Read all that a database says."""
    with psycopg.connect(dsn) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # both of one moment
        entries = [
            Entry(seq, xid, at, relation, op, _load(old), _load(new))
            for seq, xid, at, relation, op, old, new in conn.execute(_sql("read_entries.sql"))
        ]
        changes = [
            Change(seq, xid, at, relation, op, canonical(relation, key), board, version, actor, origin, part=part)
            for seq, xid, at, relation, op, part, key, board, version, actor, origin in conn.execute(
                _sql("read_log.sql")
            )
        ]
    return entries, changes


def build(
    entries: list[Entry], changes: list[Change], discarded: Iterable[tuple[list[Entry], list[Change], float]] = ()
) -> Truth:
    """Put together what was read of the last primary, and of those before it."""
    linked, disagreed, uncaptured = link(entries, changes)
    kept = {(entry.seq, entry.xid, entry.at) for entry in entries}
    known = {(change.seq, change.xid, change.at) for change in changes}
    old = []
    for its_entries, its_changes, at in discarded:
        its_linked, _, _ = link(its_entries, its_changes)
        gone = [
            Change(**{**vars(change), "lost": True})
            for change in its_linked
            if (change.seq, change.xid, change.at) not in known
        ]
        last = max([entry.at for entry in its_entries] + [change.at for change in its_changes], default=at)
        old.append(Discarded([e for e in its_entries if (e.seq, e.xid, e.at) not in kept], gone, at, last))
    return Truth(entries, linked, disagreed, uncaptured, old)


def link(entries: Sequence[Entry], changes: Sequence[Change]) -> tuple[list[Change], list[str], list[Entry]]:
    """Give each row of the log its images; what does not fit, in words; and entries that are not in the log at all."""
    steps: defaultdict[tuple[int, str, str | None], list[tuple[str, Entry]]] = defaultdict(list)
    for entry in entries:
        if entry.op == "truncate":
            steps[entry.xid, entry.relation, None].append(("truncate", entry))
            continue
        for op, key in entry.moves():
            steps[entry.xid, entry.relation, key].append((op, entry))
    logged: defaultdict[tuple[int, str, str | None], list[Change]] = defaultdict(list)
    for change in changes:
        logged[change.xid, change.relation, change.key].append(change)
    linked, disagreed, uncaptured = [], [], []
    for place, rows in logged.items():
        happened = steps.get(place, [])
        if [row.op for row in rows] == [op for op, _ in happened]:
            linked += [
                Change(**{**vars(row), "old": e.old, "new": e.new}) for row, (_, e) in zip(rows, happened, strict=True)
            ]
            continue
        linked += rows
        if rows[0].relation in {"opportunities", "boards", "board_members"} and rows[0].op != "reload":
            told, seen = [row.op for row in rows], [op for op, _ in happened]
            disagreed.append(f"transaction {place[0]}, {place[1]} {place[2]}: the log has {told}, the table {seen}")
    for place, happened in steps.items():
        if place not in logged:
            uncaptured += [entry for _, entry in happened]
    return sorted(linked, key=lambda change: change.seq), disagreed, uncaptured


def _load(text: str | None) -> Row | None:
    return None if text is None else cast(Row, json.loads(text, parse_float=str))


def _sql(name: str) -> LiteralString:
    return (_HERE / name).read_text()
