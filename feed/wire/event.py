"""An event: one change of the log as clients read it, encoded once.

Invariant: the JSON of a row goes from PostgreSQL to the socket as it is. It is never parsed here, so nothing of it (the
digits of an amount, a column we do not know) can be lost.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from db.changelog import ANEW, Change, MembershipChange
from feed.wire.flag_change import RELATION, FlagChange, flag_change

_OPPORTUNITY = {
    "insert": "opportunity_created",
    "enter": "opportunity_created",
    "update": "opportunity_updated",
    "delete": "opportunity_deleted",
    "leave": "opportunity_deleted",
}
_ROW = {
    "insert": "row_inserted",
    "enter": "row_inserted",
    "update": "row_updated",
    "delete": "row_deleted",
    "leave": "row_deleted",
}
KINDS = tuple(dict.fromkeys([*_OPPORTUNITY.values(), "opportunity_moved", *_ROW.values(), "resync"]))
"""Every type of event that there is."""


class Grant(NamedTuple):
    """A change of who sees what: role None takes the board away. board and user None: everybody loses every board.

    `new`: the user did not see the board before.
    """

    user: str | None
    board: str | None
    role: str | None
    seq: int
    new: bool = False

    @classmethod
    def of(cls, change: Change | MembershipChange) -> "Grant | None":
        """What a row of board_members in the log changes; None if nothing."""
        if change.op == "truncate":
            return cls(None, None, None, change.seq)
        if change.member is None or change.board is None:
            return None
        role = change.role if change.op in {"insert", "update", "enter"} else None
        return cls(change.member, change.board, role, change.seq, change.op in {"insert", "enter"})


class Event:
    """`board` is whose readers are told; `body` is its JSON, but for the closing brace.

    A row without a board is nobody's; what concerns `everyone` (a TRUNCATE) has none either. `grant` is what the change does to
    the right to read, `flag_change` to what users are offered.
    """

    __slots__ = ("at", "board", "body", "everyone", "flag_change", "grant", "relation", "seq", "traceparent", "type")

    def __init__(self, kind: str, change: Change, body: bytes) -> None:
        self.type = kind
        self.relation = change.relation
        self.board = change.board
        self.everyone = change.op in ANEW and change.relation != RELATION
        self.seq = change.seq
        self.at = change.at
        self.traceparent = change.traceparent
        self.body = body
        self.grant = Grant.of(change) if change.relation == "board_members" else None
        self.flag_change: FlagChange | None = flag_change(change)

    def json(self, cursor: str | None = None) -> bytes:
        """The whole message; with the cursor on the last one of a batch."""
        return self.body + b"}" if cursor is None else b'%b,"cursor":"%b"}' % (self.body, cursor.encode())

    @classmethod
    def of(cls, change: Change) -> "Event":
        """The event that tells a change."""
        if change.op == "resync" or change.op in ANEW:
            kind, told = "resync", _resync(change)
        elif change.relation == "opportunities":
            kind, told = _opportunity(change)
        else:
            kind, told = _row(change)
        body = b'{"type":"%b",%b%b' % (kind.encode(), told, _common(change))
        return cls(kind, change, body)


def timestamp(at: datetime) -> str:
    """As in JavaScript's toISOString: UTC, milliseconds, Z."""
    at = at.astimezone(UTC)
    if at.microsecond:
        # A third of the time that isoformat() takes, of each event; orjson leaves out a fraction of nothing.
        return orjson.dumps(at)[1:24].decode() + "Z"
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def message(type: str, **fields: object) -> bytes:  # noqa: A002 - the protocol's own word
    """The JSON of a message that is no event."""
    return orjson.dumps({"type": type, **fields})


def _opportunity(change: Change) -> tuple[str, bytes]:
    kind = _OPPORTUNITY[change.op]
    key = orjson.dumps(change.key)
    body = (change.body or "null").encode()
    if change.op == "update" and change.from_phase != change.to_phase:
        phases = orjson.dumps(change.from_phase), orjson.dumps(change.to_phase)
        told = b'"opportunityId":%b,"changes":%b,"fromPhase":%b,"toPhase":%b,' % (key, body, *phases)
        return "opportunity_moved", told
    if change.op == "update":
        return kind, b'"opportunityId":%b,"changes":%b,' % (key, body)
    if change.body is not None:
        return kind, b'"opportunityId":%b,"opportunity":%b,' % (key, body)
    return kind, b'"opportunityId":%b,' % key


def _row(change: Change) -> tuple[str, bytes]:
    named = b'"table":%b,"key":%b,' % (orjson.dumps(change.relation), orjson.dumps(change.key))
    if change.body is None:
        return _ROW[change.op], named
    field = b'"changes"' if change.op == "update" else b'"row"'
    return _ROW[change.op], b"%b%b:%b," % (named, field, change.body.encode())


def _resync(change: Change) -> bytes:
    reason = change.op if change.op in ANEW else "bulk"
    return b'"reason":"%b","table":%b,"count":%d,' % (reason.encode(), orjson.dumps(change.relation), change.size)


def _common(change: Change) -> bytes:
    told: dict[str, object] = {
        "boardId": change.board,
        "userId": change.actor,
        "timestamp": timestamp(change.at),
        "version": change.version,
        "seq": change.seq,
        "xid": str(change.xid),
        "origin": change.origin,
    }
    if change.traceparent is not None:
        told["traceparent"] = change.traceparent
    if change.size > 1 and change.op != "resync":
        told["collapsed"] = change.size
    return orjson.dumps(told)[1:-1]
