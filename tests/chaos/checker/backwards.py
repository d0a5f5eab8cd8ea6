"""A cursor that does not cover the one before it on the same connection."""

from collections.abc import Iterable

from tests.chaos.checker.stretches import OWN, Life
from tests.chaos.clients.cursor import Cursor, parse
from tests.chaos.model import Verdict


def backwards(lives: Iterable[Life]) -> Iterable[Verdict]:
    for life in lives:
        newest: Cursor | None = None
        for record in life.records:
            if record.kind == "connect":
                newest = None if record.cursor is None else parse(record.cursor)
            if record.cursor is None or record.kind in OWN:
                continue
            cursor = parse(record.cursor)
            if newest is not None and record.kind != "reset" and not cursor.covers(newest):
                where = f"{life.client} ({record.transport} of {record.endpoint}, connection {record.connection})"
                yield Verdict("cursor", where, f"{record.kind} has {cursor.text} after {newest.text}")
            newest = cursor


def covers_nothing(lives: Iterable[Life]) -> Iterable[Verdict]:
    """A new beginning says where it begins once: `auth_success` of a reset has no cursor, as the `reset` has it."""
    for life in lives:
        for record in life.records:
            if record.kind == "auth_success" and record.body["resume"] == "reset" and record.cursor is not None:
                yield Verdict("cursor", life.client, f"auth_success with a reset has the cursor {record.cursor}")
