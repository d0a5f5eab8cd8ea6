"""The true history: an audit of the tables, in the order of the feed's log.

Invariant: images come only from the audit trigger. The log determines the order, sequence number and board of each change.
Changes that only a discarded primary had are kept separately, as `lost`.
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
RELOADS = frozenset({"truncate", "reload"})


@dataclass(frozen=True, eq=False)
class Entry:
    """A row of the audit; `at` is in seconds on the wall clock."""

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
        """The changes that clients must receive for it: (op, key)."""
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
    """A row of the log. Its images are None where audit and log disagree about the row in its transaction."""

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
    """The entries and changes of a primary that was discarded after a promotion."""

    entries: Sequence[Entry]
    changes: Sequence[Change]
    at: float
    """When it was read: everything received later is from the new primary."""

    last: float
    """The time of its last write."""


@dataclass
class Truth:
    entries: list[Entry] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    disagreed: list[str] = field(default_factory=list)
    """Descriptions of transactions and rows about which audit and log disagree."""
    uncaptured: list[Entry] = field(default_factory=list)
    discarded: list[Discarded] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_seq: defaultdict[int, list[Change]] = defaultdict(list)
        self.by_xid: defaultdict[int, list[Change]] = defaultdict(list)
        self.lost: dict[int, list[Change]] = {}
        for change in self.changes:
            self.by_seq[change.seq].append(change)
            self.by_xid[change.xid].append(change)
        for timeline, each in enumerate(self.discarded):
            self.lost[timeline] = [change for change in each.changes if change.lost]
            for change in self.lost[timeline]:
                self.by_seq[change.seq].append(change)
        self.xids = sorted(self.by_xid)
        self.origins = {change.origin for change in self.changes if change.origin is not None}

    def lost_in(self, timeline: int) -> list[Change]:
        """Changes of a timeline that the next one lacks. Timelines are numbered from the first primary."""
        return self.lost.get(timeline, [])

    def ended(self, timeline: int) -> float:
        """The time of the last write to the primary of a timeline."""
        return self.discarded[timeline].last if timeline < len(self.discarded) else float("inf")

    def between(self, since: Cursor, until: Cursor, at: float, timeline: int) -> list[Change]:
        """The changes between two cursors, in the order of delivery.

        Excludes writes after `at`, when `until` was received: those belong to a timeline that reused the numbers.
        """
        xids = [xid for xid in _range(self.xids, since.xmin, until.xmax) if _new(xid, since, until)]
        found = {xid: [change for change in self.by_xid[xid] if change.at <= at] for xid in xids}
        for change in self.lost_in(timeline):
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
    """Install the audit, after the migration and before the first row."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(_sql("audit.sql"))


def read(dsn: str) -> tuple[list[Entry], list[Change]]:
    """Read the audit and the log of a database."""
    with psycopg.connect(dsn) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # both from one snapshot
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
    """Combine what was read from the last primary with that of the discarded ones."""
    linked, disagreed, uncaptured = link(entries, changes)
    kept = {(entry.seq, entry.xid, entry.at) for entry in entries}
    known = {(change.seq, change.xid, change.at) for change in changes}
    old = []
    for its_entries, its_changes, at in discarded:
        its_linked, _, _ = link(its_entries, its_changes)
        lost_changes = [
            Change(**{**vars(change), "lost": True})
            for change in its_linked
            if (change.seq, change.xid, change.at) not in known
        ]
        last = max([entry.at for entry in its_entries] + [change.at for change in its_changes], default=at)
        old.append(Discarded([e for e in its_entries if (e.seq, e.xid, e.at) not in kept], lost_changes, at, last))
    return Truth(entries, linked, disagreed, uncaptured, old)


def link(entries: Sequence[Entry], changes: Sequence[Change]) -> tuple[list[Change], list[str], list[Entry]]:
    """Return the log rows with their images, descriptions of disagreements, and entries that are not in the log."""
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
    for group, rows in logged.items():
        audited = steps.get(group, [])
        if [row.op for row in rows] == [op for op, _ in audited]:
            linked += [
                Change(**{**vars(row), "old": e.old, "new": e.new}) for row, (_, e) in zip(rows, audited, strict=True)
            ]
            continue
        linked += rows
        if rows[0].relation in {"opportunities", "boards", "board_members"} and rows[0].op != "reload":
            logged_ops, audited_ops = [row.op for row in rows], [op for op, _ in audited]
            disagreed.append(
                f"transaction {group[0]}, {group[1]} {group[2]}: the log has {logged_ops}, the audit {audited_ops}"
            )
    for group, audited in steps.items():
        if group not in logged:
            uncaptured += [entry for _, entry in audited]
    return sorted(linked, key=lambda change: change.seq), disagreed, uncaptured


def _load(text: str | None) -> Row | None:
    return None if text is None else cast(Row, json.loads(text, parse_float=str))


def _sql(name: str) -> LiteralString:
    return (_HERE / name).read_text()
