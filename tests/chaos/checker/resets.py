"""Verdict `spurious-reset`: a reset that no fault explains."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tests.chaos.checker.client_history import ClientHistory, wall_time
from tests.chaos.checker.truth import RELOADS, Truth
from tests.chaos.model import Fault, Record, Verdict

SLACK = 15.0
"""Seconds for which a service may still send cursors of a feed that was reset: it verifies the feed periodically."""
LATENESS = 1.0
DELAY = 3.0
"""Seconds within which an event is sent to a client that is not slow."""
_ASIDE = frozenset({"snapshot", "compare", "final"})
"""Records whose cursor is not the client's position."""


def spurious_resets(histories: Iterable[ClientHistory], truth: Truth, faults: Sequence[Fault]) -> Iterable[Verdict]:
    for history in histories:
        acquired: dict[str, float] = {}
        newest: str | None = None
        started, written = False, 0.0
        for record in history.records:
            if record.kind == "connect":
                newest, started, written = record.cursor, False, 0.0
            reason = _reason(record, newest, started=started)
            started = started or record.kind == "auth_success"
            since = acquired.get(str(newest), record.at)
            if "seq" in record.body:
                written = _written(record)
            if written:
                since = min(since, written + DELAY)  # a slow client receives cursors long after they were sent
            if reason is not None and not _explained(reason, record, since, truth, faults):
                where = f"{history.client} ({record.transport} of {record.endpoint}, connection {record.connection})"
                yield Verdict("spurious-reset", where, f"{record.kind} with {reason}")
            if record.cursor is not None and record.kind not in _ASIDE:
                newest = record.cursor
                sent = _written(record) + DELAY if "seq" in record.body else record.at
                acquired.setdefault(newest, min(record.at, sent))


def _written(record: Record) -> float:
    """When an event was written, on the journal's clock."""
    return datetime.fromisoformat(record.body["timestamp"]).timestamp() - wall_time(0.0)


def _reason(record: Record, newest: str | None, *, started: bool) -> str | None:
    """The reason for which the client starts over with this record; None if it does not."""
    if record.kind == "reset":
        return str(record.body["reason"])
    if record.kind == "refused" and record.body["problem"].get("type", "").endswith("cursor-reset"):
        return str(record.body["problem"].get("reason"))
    if record.kind == "auth_success" and not started and newest is not None and record.body["resume"] == "live":
        return "a live start despite a cursor"
    return None


def _explained(reason: str, record: Record, since: float, truth: Truth, faults: Sequence[Fault]) -> bool:
    """`since`: when the client received the cursor that was rejected."""
    if record.kind == "refused" and reason in RELOADS:
        return any(change.op == reason for change in truth.changes)
    return any(
        reason in fault.explains
        and fault.began <= record.at + LATENESS
        and (fault.ended is None or since <= fault.ended + SLACK)
        for fault in faults
    )
