"""A cursor: a PostgreSQL snapshot as text, with what it needs to prove itself.

Invariant: a cursor says exactly which transactions of the log its holder has been told of: all below xmax but those in xip.
It is given out only for a moment at which the holder had all of them.

    <feed id>.<xmin>.<xmax>.<xip deltas>.<anchor seq>.<tag>        3f9a2b1c0d.790.794.0-2.1234.9f86d081

Of a snapshot only what matters to the log is kept: xmax is one past the newest transaction *of the log*, xip what was in
progress below it. So the same history makes the same text on every instance, and nothing moves while nobody writes.
The anchor is the newest row covered; the tag is made from it, so that a history which was replaced (a failover that lost its
tail, a restore) is noticed although it uses the same numbers again.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from itertools import accumulate, pairwise

from db.changelog import Position, Proof, Seen

LONGEST = 4096
"""Characters. A longer text is malformed; a cursor is never made longer (see Cursor.__str__)."""

_TEXT = re.compile(
    r"([0-9a-z]{1,32})\.([0-9]{1,19})\.([0-9]{1,19})\.([0-9]{1,19}(?:-[0-9]{1,19})*)?\.([0-9]{1,19})\.([0-9a-f]{8})",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TAG = "0" * 8


class Fault(StrEnum):
    """Why a cursor cannot be resumed from: the reasons of a `reset`."""

    MALFORMED = "malformed"
    FOREIGN = "foreign"
    """Of another feed, or of this one before it was renewed."""
    FUTURE = "future"
    """Ahead of the log: the log went back."""
    PRUNED = "pruned"
    """What it has not seen is not kept any more."""
    DIVERGED = "diverged"
    """Its anchor is not in the log, or is another row than it was: history was replaced."""


@dataclass(frozen=True, slots=True)
class Cursor:
    feed: str
    seen: Seen
    anchor: int
    tag: str

    @classmethod
    def at(cls, feed: str, position: Position) -> "Cursor":
        """The cursor of one who knows all that a snapshot shows."""
        snapshot = shows(position.snapshot)
        if position.last_xid is None or position.seq is None or position.xid is None or position.at is None:
            # No log yet, so nothing below the oldest transaction in progress will ever be in it.
            return cls(feed, Seen(min(snapshot.xip, default=snapshot.xmax)), 0, _NO_TAG)
        seen = _of_log(snapshot, position.last_xid)
        return cls(feed, seen, position.seq, tag(position.seq, position.xid, position.at))

    def advanced(self, snapshot: str, last_xid: int | None, newest: tuple[int, int, datetime] | None) -> "Cursor":
        """This cursor after a read: its snapshot, the newest transaction and row (seq, xid, at) it found, if any."""
        seen = _of_log(shows(snapshot), max(last_xid or 0, self.seen.xmax - 1))
        if newest is None or newest[0] < self.anchor:
            return self if seen == self.seen else Cursor(self.feed, seen, self.anchor, self.tag)
        return Cursor(self.feed, seen, newest[0], tag(*newest))

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read a cursor from its text, strictly. Raises ValueError."""
        match = _TEXT.fullmatch(text) if len(text) <= LONGEST else None
        if match is None:
            raise ValueError("not a cursor")
        feed, xmin, xmax, deltas, anchor, mark = match.groups()
        xip = tuple(accumulate(map(int, deltas.split("-")), initial=int(xmin)))[1:] if deltas else ()
        cursor = cls(feed, Seen(int(xmax), xip), int(anchor), mark)
        if any(a >= b for a, b in pairwise((*xip, int(xmax)))) or str(cursor) != text:
            raise ValueError("not a cursor in its one form")
        return cursor

    def __str__(self) -> str:
        seen = self.seen
        while len(text := self._text(seen)) > LONGEST:
            # With more than a thousand writers at once, claim less: what lies above is read again.
            fewer = len(seen.xip) * LONGEST // len(text) - 1
            seen = Seen(seen.xip[fewer], seen.xip[:fewer])
        return text

    def _text(self, seen: Seen) -> str:
        deltas = "-".join(str(b - a) for a, b in pairwise((_xmin(seen), *seen.xip)))
        return f"{self.feed}.{_xmin(seen)}.{seen.xmax}.{deltas}.{self.anchor}.{self.tag}"

    def covers(self, other: "Cursor") -> bool:
        """Whether all that `other` has seen has been seen here too. Of two that were read on one server, one covers the other."""
        return other.seen.xmax <= self.seen.xmax and all(
            xid in other.seen.xip for xid in self.seen.xip if xid < other.seen.xmax
        )

    def missed(self, floor_xid: int, now: Seen) -> bool:
        """Whether something that it has not seen may have been pruned, up to the transaction `floor_xid`.

        What is in progress `now` cannot: its partition is not dropped.
        """
        return self.seen.xmax <= floor_xid or any(xid <= floor_xid for xid in self.seen.xip if xid in now)

    def fault(self, proof: Proof) -> Fault | None:
        """Why it cannot be resumed from; None where it can."""
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
    """Eight hexadecimal digits of a log row's identity; `at` to the microsecond, as PostgreSQL keeps it."""
    since = at - _EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return sha256(f"{seq}:{xid}:{microseconds}".encode()).hexdigest()[:8]


def shows(text: str) -> Seen:
    """What can be seen in a snapshot, of its text."""
    _, xmax, xip = text.split(":")
    return Seen(int(xmax), tuple(map(int, xip.split(","))) if xip else ())


def text(seen: Seen) -> str:
    """A snapshot that shows this, as PostgreSQL writes it."""
    return f"{_xmin(seen)}:{seen.xmax}:{','.join(map(str, seen.xip))}"


def _of_log(snapshot: Seen, last_xid: int) -> Seen:
    return Seen(last_xid + 1, tuple(xid for xid in snapshot.xip if xid <= last_xid))


def _xmin(seen: Seen) -> int:
    return min(seen.xip, default=seen.xmax)
