"""A new beginning that nothing explains."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tests.chaos.checker.stretches import Life, wall
from tests.chaos.checker.truth import ANEW, Truth
from tests.chaos.model import Fault, Record, Verdict

SLACK = 15.0
"""Seconds for which a service may give out cursors of a feed that was reset: it looks from time to time."""
LATENESS = 1.0
DELAY = 3.0
"""Seconds that an event may take to be sent where nobody is slow."""
_ASIDE = frozenset({"snapshot", "compare", "final"})
"""Records whose cursor is not where the client stands."""


def spurious(lives: Iterable[Life], truth: Truth, faults: Sequence[Fault]) -> Iterable[Verdict]:
    for life in lives:
        acquired: dict[str, float] = {}
        newest: str | None = None
        begun, written = False, 0.0
        for record in life.records:
            if record.kind == "connect":
                newest, begun, written = record.cursor, False, 0.0
            reason = _reason(record, newest, begun=begun)
            begun = begun or record.kind == "auth_success"
            since = acquired.get(str(newest), record.at)
            if "seq" in record.body:
                written = _written(record)
            if written:
                since = min(since, written + DELAY)  # a slow reader gets its cursors long after they were sent
            if reason is not None and not _explained(reason, record, since, truth, faults):
                where = f"{life.client} ({record.transport} of {record.endpoint}, connection {record.connection})"
                yield Verdict("spurious-reset", where, f"{record.kind} with {reason}")
            if record.cursor is not None and record.kind not in _ASIDE:
                newest = record.cursor
                sent = _written(record) + DELAY if "seq" in record.body else record.at
                acquired.setdefault(newest, min(record.at, sent))


def _written(record: Record) -> float:
    """When an event was written, on the journal's clock."""
    return datetime.fromisoformat(record.body["timestamp"]).timestamp() - wall(0.0)


def _reason(record: Record, newest: str | None, *, begun: bool) -> str | None:
    """Why everything begins anew with this record; None where it does not."""
    if record.kind == "reset":
        return str(record.body["reason"])
    if record.kind == "refused" and record.body["problem"].get("type", "").endswith("cursor-reset"):
        return str(record.body["problem"].get("reason"))
    if record.kind == "auth_success" and not begun and newest is not None and record.body["resume"] == "live":
        return "a live beginning, for a cursor"
    return None


def _explained(reason: str, record: Record, since: float, truth: Truth, faults: Sequence[Fault]) -> bool:
    """`since`: when the client got the cursor from which it could not go on."""
    if record.kind == "refused" and reason in ANEW:
        return any(change.op == reason for change in truth.changes)
    return any(
        reason in fault.explains
        and fault.began <= record.at + LATENESS
        and (fault.ended is None or since <= fault.ended + SLACK)
        for fault in faults
    )
