"""Two people changed one card: what clashes, what can be put together, and what the later is told.

Invariant: nothing of what one side alone changed is lost, and nothing that both changed is decided without a person. Where a
card stands in its phase is not worth a question: the later wins.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncConnection

from api import etags, lines
from api.json import raw
from api.problems import Problem
from db import versions
from db.opportunities import Found

Row = Mapping[str, Any]

_NEVER = frozenset({"position"})


class Merged(NamedTuple):
    fields: dict[str, Any]
    """What is to be written over the row as it is."""
    conflicts: list[str]
    """What both changed, and not to the same."""


async def stale(
    conn: AsyncConnection, found: Found, expected: int | None, user_id: str, fields: Mapping[str, Any]
) -> Problem:
    """Make the 412: the row as it is, as the writer had seen it (null: the log does not tell), and what clashes."""
    base = await base_of(conn, found, expected, user_id)
    return Problem(
        "stale-version",
        headers={"ETag": etags.of(found.version)},
        current=raw(found.body),
        base=raw(base) if base else None,
        conflicts=clashes(to_jsonable(fields), orjson.loads(found.body), orjson.loads(base) if base else None),
    )


async def base_of(conn: AsyncConnection, found: Found, version: int | None, user_id: str) -> str | None:
    """Read the row as it was in a version, as JSON; None where the log does not tell, or not this user."""
    if version is None:
        return None
    base = await versions.get(conn, found.id, user_id, version)
    return base.data if base else None


def clashes(wanted: Row, current: Row, base: Row | None) -> list[str]:
    """Name the fields that somebody else changed, and not to what is wanted. Without a base: those that differ."""
    return [
        name
        for name, value in wanted.items()
        if name not in _NEVER and current.get(name) != value and (base is None or current.get(name) != base.get(name))
    ]


def merge(wanted: Row, current: Row, base: Row | None) -> Merged:
    """Put on top of what there is what differs from the base; notes by their lines."""
    fields = {name: value for name, value in wanted.items() if base is None or value != base.get(name)}
    conflicts = clashes(fields, current, base)
    if "notes" in conflicts and base is not None:
        notes = lines.merge(base.get("notes") or "", wanted["notes"] or "", current.get("notes") or "")
        if notes is not None:
            fields["notes"] = notes
            conflicts.remove("notes")
    return Merged({name: value for name, value in fields.items() if name not in conflicts}, conflicts)


def to_jsonable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Make the fields comparable with a row's JSON, whose numbers are numbers."""
    numbers = {name: float(value) for name, value in fields.items() if name == "value" and value is not None}
    return dict(to_jsonable_python(fields)) | numbers
