"""Builds rows of the log: pass the fields that matter, the rest describe an ordinary update."""

from datetime import UTC, datetime
from typing import Any

from db.changelog.changes import Change

AT = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def change(**overrides: Any) -> Change:
    fields = {
        "seq": 5,
        "xid": 2**63,
        "at": AT,
        "relation": "opportunities",
        "op": "update",
        "key": "o1",
        "board": "b1",
        "version": 2,
        "actor": "ana",
        "origin": None,
        "traceparent": None,
        "body": '{"title": "x"}',
        "from_phase": "new",
        "to_phase": "new",
        "member": None,
        "role": None,
        "size": 1,
        "notified": True,
    }
    return Change(**{**fields, **overrides})
