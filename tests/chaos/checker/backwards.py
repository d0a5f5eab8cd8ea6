"""Verdict `cursor`: a cursor does not cover the previous one on its connection."""

from collections.abc import Iterable

from tests.chaos.checker.client_history import CLIENT_ACTIONS, ClientHistory
from tests.chaos.clients.cursor import Cursor, parse
from tests.chaos.model import Verdict


def backwards(histories: Iterable[ClientHistory]) -> Iterable[Verdict]:
    for history in histories:
        newest: Cursor | None = None
        for record in history.records:
            if record.kind == "connect":
                newest = None if record.cursor is None else parse(record.cursor)
            if record.cursor is None or record.kind in CLIENT_ACTIONS:
                continue
            cursor = parse(record.cursor)
            if newest is not None and record.kind != "reset" and not cursor.covers(newest):
                where = f"{history.client} ({record.transport} of {record.endpoint}, connection {record.connection})"
                yield Verdict("cursor", where, f"{record.kind} has {cursor.text} after {newest.text}")
            newest = cursor


def auth_success_before_reset(histories: Iterable[ClientHistory]) -> Iterable[Verdict]:
    """The `auth_success` before a reset must not have a cursor: only the `reset` has the new one."""
    for history in histories:
        for record in history.records:
            if record.kind == "auth_success" and record.body["resume"] == "reset" and record.cursor is not None:
                yield Verdict("cursor", history.client, f"auth_success with a reset has the cursor {record.cursor}")
