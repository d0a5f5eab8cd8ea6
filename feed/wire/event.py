"""An event: one change of the log in the format that clients receive, encoded once.

Invariant: the JSON of a row passes from PostgreSQL to the socket unchanged. It is never parsed here, so nothing of it (the
digits of an amount, an unknown column) can be lost.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from db.changelog.changes import WHOLE_TABLE_OPS, Change
from db.changelog.memberships import MembershipChange
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
_TABLE_NAMES = {
    "feed.boards": "boards",
    "feed.board_members": "board_members",
    "feed.opportunity_details": "opportunity_details",
    "boards": "public.boards",
    "board_members": "public.board_members",
    "opportunity_details": "public.opportunity_details",
}
"""Names of tables in messages that differ from those in the log: boardcast's own, and the application's tables of these names."""

_WITHOUT_BODY = WHOLE_TABLE_OPS | {"resync", "large"}
"""Operations for which clients have to take a snapshot."""
KINDS = tuple(dict.fromkeys([*_OPPORTUNITY.values(), "opportunity_moved", *_ROW.values(), "resync"]))
"""All event types."""


class Grant(NamedTuple):
    """A change of rights. If `role` is None, the user loses the board; if `user` and `board` are None, all users lose all boards.

    `new`: the user did not see the board before.
    """

    user: str | None
    board: str | None
    role: str | None
    seq: int
    new: bool = False

    @classmethod
    def of(cls, change: Change | MembershipChange) -> "Grant | None":
        """Return the effect of a log row of feed.board_members; None if it has none."""
        if change.op == "truncate":
            return cls(None, None, None, change.seq)
        if change.member is None or change.board is None:
            return None
        role = change.role if change.op in {"insert", "update", "enter"} else None
        return cls(change.member, change.board, role, change.seq, change.op in {"insert", "enter"})


class Event:
    """`board` decides who receives the event; `body` is its JSON without the closing brace.

    An event without a board is sent to nobody, except if it concerns `everyone` (a TRUNCATE). `grant` is the effect of the
    change on rights, `flag_change` its effect on flags.
    """

    __slots__ = ("at", "board", "body", "everyone", "flag_change", "grant", "relation", "seq", "traceparent", "type")

    def __init__(self, kind: str, change: Change, body: bytes) -> None:
        self.type = kind
        self.relation = change.relation
        self.board = change.board
        self.everyone = change.op in WHOLE_TABLE_OPS and change.relation != RELATION
        self.seq = change.seq
        self.at = change.at
        self.traceparent = change.traceparent
        self.body = body
        self.grant = Grant.of(change) if change.relation == "feed.board_members" else None
        self.flag_change: FlagChange | None = flag_change(change)

    def json(self, cursor: str | None = None) -> bytes:
        """Return the complete message; the last one of a batch has the cursor."""
        return self.body + b"}" if cursor is None else b'%b,"cursor":"%b"}' % (self.body, cursor.encode())

    @classmethod
    def of(cls, change: Change) -> "Event":
        """Return the event for a change."""
        if change.op in _WITHOUT_BODY:
            kind, fields = "resync", _resync(change)
        elif change.relation == "opportunities":
            kind, fields = _opportunity(change)
        else:
            kind, fields = _row(change)
        body = b'{"type":"%b",%b%b' % (kind.encode(), fields, _common(change))
        return cls(kind, change, body)


def timestamp(at: datetime) -> str:
    """Format a time as JavaScript's toISOString does: UTC, milliseconds, Z."""
    at = at.astimezone(UTC)
    if at.microsecond:
        # Three times as fast as isoformat(), and called for every event. orjson omits a zero fraction.
        return orjson.dumps(at)[1:24].decode() + "Z"
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def message(type: str, **fields: object) -> bytes:  # noqa: A002 - the name in the protocol
    """Return the JSON of a message that is not an event."""
    return orjson.dumps({"type": type, **fields})


def _opportunity(change: Change) -> tuple[str, bytes]:
    kind = _OPPORTUNITY[change.op]
    key = orjson.dumps(change.key)
    body = (change.body or "null").encode()
    if change.op == "update" and change.from_phase != change.to_phase:
        phases = orjson.dumps(change.from_phase), orjson.dumps(change.to_phase)
        fields = b'"opportunityId":%b,"changes":%b,"fromPhase":%b,"toPhase":%b,' % (key, body, *phases)
        return "opportunity_moved", fields
    if change.op == "update":
        return kind, b'"opportunityId":%b,"changes":%b,' % (key, body)
    if change.body is not None:
        return kind, b'"opportunityId":%b,"opportunity":%b,' % (key, body)
    return kind, b'"opportunityId":%b,' % key


def _row(change: Change) -> tuple[str, bytes]:
    named = b'"table":%b,"key":%b,' % (_table(change), orjson.dumps(change.key))
    if change.body is None:
        return _ROW[change.op], named
    field = b'"changes"' if change.op == "update" else b'"row"'
    return _ROW[change.op], b"%b%b:%b," % (named, field, change.body.encode())


def _resync(change: Change) -> bytes:
    reason = "bulk" if change.op == "resync" else change.op
    key = b'"key":%b,' % orjson.dumps(change.key) if change.op == "large" else b""
    return b'"reason":"%b","table":%b,%b"count":%d,' % (
        reason.encode(),
        _table(change),
        key,
        change.size,
    )


def _version(change: Change) -> int | None:
    """The version of the row; of an opportunity without one, what `feed.opportunity_source` makes its version."""
    if change.version is None and change.relation == "opportunities" and change.op in _OPPORTUNITY:
        return change.seq % (2**31 - 1)
    return change.version


def _table(change: Change) -> bytes:
    return orjson.dumps(_TABLE_NAMES.get(change.relation, change.relation))


def _common(change: Change) -> bytes:
    fields: dict[str, object] = {
        "boardId": change.board,
        "userId": change.actor,
        "timestamp": timestamp(change.at),
        "version": _version(change),
        "seq": change.seq,
        "xid": str(change.xid),
        "origin": change.origin,
    }
    if change.traceparent is not None:
        fields["traceparent"] = change.traceparent
    if change.size > 1 and change.op not in _WITHOUT_BODY:
        fields["collapsed"] = change.size
    return orjson.dumps(fields)[1:-1]
