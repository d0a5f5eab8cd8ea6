"""Conflicting changes of one card: which fields conflict, what can be merged, and what the later writer is sent.

Invariant: nothing that only one side changed is lost, and nothing that both changed is decided without a person. The
position of a card within its phase is the exception: the later write wins.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncConnection

from api.cards.text_merge import merge_text
from api.http import etags
from api.http.json_response import raw_json
from api.http.problems import Problem
from db import opportunity_details, versions
from db.opportunities import Found

Row = Mapping[str, Any]

_LAST_WRITE_WINS = frozenset({"position"}) | opportunity_details.FIELDS
"""Versions in the log do not have the details."""


class MergeResult(NamedTuple):
    fields: dict[str, Any]
    """The values to write to the current row."""
    conflicts: list[str]
    """The fields that both sides changed to different values."""


async def stale_version(
    conn: AsyncConnection, found: Found, expected: int | None, user_id: str, fields: Mapping[str, Any]
) -> Problem:
    """Create the 412, with the current row, the row as the writer knew it (if the log has it), and the conflicts."""
    base = await read_base(conn, found, expected, user_id)
    return Problem(
        "stale-version",
        headers={"ETag": etags.for_version(found.version)},
        current=raw_json(found.body),
        base=raw_json(base) if base else None,
        conflicts=conflicting_fields(
            to_jsonable(fields), orjson.loads(found.body), orjson.loads(base) if base else None
        ),
    )


async def read_base(conn: AsyncConnection, found: Found, version: int | None, user_id: str) -> str | None:
    """Read the row in an earlier version, as JSON; None if the log lacks it, or this user may not see it."""
    if version is None:
        return None
    base = await versions.get(conn, found.id, user_id, version)
    return base.data if base else None


def conflicting_fields(wanted: Row, current: Row, base: Row | None) -> list[str]:
    """Name the fields that somebody else changed to another value. Without a base, all that differ conflict."""
    return [
        name
        for name, value in wanted.items()
        if name not in _LAST_WRITE_WINS
        and current.get(name) != value
        and (base is None or current.get(name) != base.get(name))
    ]


def merge_fields(wanted: Row, current: Row, base: Row | None) -> MergeResult:
    """Apply to the current row what differs from the base. Notes are merged by lines."""
    fields = {name: value for name, value in wanted.items() if base is None or value != base.get(name)}
    conflicts = conflicting_fields(fields, current, base)
    if "notes" in conflicts and base is not None:
        notes = merge_text(base.get("notes") or "", wanted["notes"] or "", current.get("notes") or "")
        if notes is not None:
            fields["notes"] = notes
            conflicts.remove("notes")
    return MergeResult({name: value for name, value in fields.items() if name not in conflicts}, conflicts)


def to_jsonable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the fields so that they compare equal to those of a row's JSON, in which amounts are numbers."""
    amounts = {name: float(value) for name, value in fields.items() if name == "value" and value is not None}
    return dict(to_jsonable_python(fields)) | amounts
