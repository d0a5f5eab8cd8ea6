"""A cursor: a PostgreSQL snapshot as text, with what is needed to validate it.

Invariant: a cursor says exactly which transactions of the log its holder has received: all below xmax except those in
xip. It is handed out only when the holder has all of them.

    <feed id>.<xmin>.<xmax>.<xip deltas>.<anchor seq>.<tag>        3f9a2b1c0d.790.794.0-2.1234.9f86d081

Only the part of a snapshot that matters to the log is kept: xmax is one above the newest transaction *of the log*, and xip
lists those in progress below it. So the same history gives the same text on every instance, and cursors do not move while
nothing is written. The anchor is the newest covered row. The tag is derived from that row, so that a replaced history
(a failover that lost its tail, a restore) is detected even though it reuses the same numbers.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from itertools import accumulate, pairwise

from db.changelog.positions import Position, Proof, Seen

MAX_LENGTH = 4096
"""Characters. A longer text is malformed, and no cursor is longer (see Cursor.__str__)."""

_TEXT = re.compile(
    r"([0-9a-z]{1,32})\.([0-9]{1,19})\.([0-9]{1,19})\.([0-9]{1,19}(?:-[0-9]{1,19})*)?\.([0-9]{1,19})\.([0-9a-f]{8})",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TAG = "0" * 8
_LIMIT = 2**63
"""No transaction ID or `seq` is as high: PostgreSQL's bigint is not."""


class Fault(StrEnum):
    """Why a cursor cannot be resumed from: the reasons of a `reset`."""

    MALFORMED = "malformed"
    FOREIGN = "foreign"
    """From another feed, or from this one before it was reset."""
    FUTURE = "future"
    """Ahead of the log: the log was set back."""
    PRUNED = "pruned"
    """The changes that follow it are no longer kept."""
    DIVERGED = "diverged"
    """Its anchor is missing from the log, or is another row now: history was replaced."""
    TOO_FAR = "too_far"
    """So many changes follow it that a snapshot is cheaper. Cursor.fault() does not find this one."""


@dataclass(frozen=True, slots=True)
class Cursor:
    feed: str
    seen: Seen
    anchor: int
    tag: str

    @classmethod
    def at(cls, feed: str, position: Position) -> "Cursor":
        """Return the cursor of a holder that has everything in a snapshot."""
        snapshot = parse_snapshot(position.snapshot)
        if position.last_xid is None or position.seq is None or position.xid is None or position.at is None:
            # There is no log yet, so nothing below the oldest transaction in progress will ever be in it.
            return cls(feed, Seen(min(snapshot.xip, default=snapshot.xmax)), 0, _NO_TAG)
        seen = _clip_to_log(snapshot, position.last_xid)
        return cls(feed, seen, position.seq, tag(position.seq, position.xid, position.at))

    def advanced(self, snapshot: str, last_xid: int | None, newest: tuple[int, int, datetime] | None) -> "Cursor":
        """Return the cursor after a read, given its snapshot and the newest transaction and row (seq, xid, at) found, if any."""
        seen = _clip_to_log(parse_snapshot(snapshot), max(last_xid or 0, self.seen.xmax - 1))
        if newest is None or newest[0] < self.anchor:
            return self if seen == self.seen else Cursor(self.feed, seen, self.anchor, self.tag)
        return Cursor(self.feed, seen, newest[0], tag(*newest))

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Parse a cursor strictly. Raises ValueError."""
        match = _TEXT.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if match is None:
            raise ValueError("not a cursor")
        feed, xmin, xmax, deltas, anchor, tag_ = match.groups()
        if int(xmax) >= _LIMIT or int(anchor) >= _LIMIT:
            raise ValueError("not a cursor of PostgreSQL's numbers")
        xip = tuple(accumulate(map(int, deltas.split("-")), initial=int(xmin)))[1:] if deltas else ()
        cursor = cls(feed, Seen(int(xmax), xip), int(anchor), tag_)
        if any(a >= b for a, b in pairwise((*xip, int(xmax)))) or str(cursor) != text:
            raise ValueError("not a cursor in its one form")
        return cursor

    def __str__(self) -> str:
        seen = self.seen
        while len(text := self._text(seen)) > MAX_LENGTH:
            # With more than a thousand concurrent writers, claim less: what lies above is read again.
            fewer = len(seen.xip) * MAX_LENGTH // len(text) - 1
            seen = Seen(seen.xip[fewer], seen.xip[:fewer])
        return text

    def _text(self, seen: Seen) -> str:
        deltas = "-".join(str(b - a) for a, b in pairwise((_xmin(seen), *seen.xip)))
        return f"{self.feed}.{_xmin(seen)}.{seen.xmax}.{deltas}.{self.anchor}.{self.tag}"

    def covers(self, other: "Cursor") -> bool:
        """Return whether this covers all that `other` covers. Of two cursors from one server, one always covers the other."""
        return other.seen.xmax <= self.seen.xmax and all(
            xid in other.seen.xip for xid in self.seen.xip if xid < other.seen.xmax
        )

    def may_have_missed(self, floor_xid: int, now: Seen) -> bool:
        """Return whether transactions up to `floor_xid` that this does not cover may have been pruned.

        Transactions in progress in `now` cannot have been: their partition is not dropped.
        """
        return self.seen.xmax <= floor_xid or any(xid <= floor_xid for xid in self.seen.xip if xid in now)

    def fault(self, proof: Proof) -> Fault | None:
        """Return why the cursor cannot be resumed from, or None if it can."""
        if self.feed != proof.feed_id:
            return Fault.FOREIGN
        if self.seen.xmax > proof.next_xid or self.anchor > proof.last_seq:
            return Fault.FUTURE
        if _xmin(self.seen) <= proof.floor_xid:
            return Fault.PRUNED
        if self.anchor == 0:
            return None
        if proof.seq is None or proof.xid is None or proof.at is None:
            return Fault.PRUNED if self.anchor <= proof.floor_seq else Fault.DIVERGED
        return None if tag(proof.seq, proof.xid, proof.at) == self.tag else Fault.DIVERGED


def tag(seq: int, xid: int, at: datetime) -> str:
    """Return eight hexadecimal digits that identify a log row; `at` has microseconds, as in PostgreSQL."""
    since = at - _EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return sha256(f"{seq}:{xid}:{microseconds}".encode()).hexdigest()[:8]


def parse_snapshot(text: str) -> Seen:
    """Parse the text of a PostgreSQL snapshot."""
    _, xmax, xip = text.split(":")
    return Seen(int(xmax), tuple(map(int, xip.split(","))) if xip else ())


def snapshot_text(seen: Seen) -> str:
    """Format a snapshot as PostgreSQL does."""
    return f"{_xmin(seen)}:{seen.xmax}:{','.join(map(str, seen.xip))}"


def _clip_to_log(snapshot: Seen, last_xid: int) -> Seen:
    return Seen(last_xid + 1, tuple(xid for xid in snapshot.xip if xid <= last_xid))


def _xmin(seen: Seen) -> int:
    return min(seen.xip, default=seen.xmax)
