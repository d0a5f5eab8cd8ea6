"""Two people changed one card: what the later is told, so that nothing needs to be typed again."""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncConnection

from api import etags
from api.json import raw
from api.problems import Problem
from db import versions
from db.opportunities import Found

_LARGEST_VERSION = 2**31 - 2


async def stale(
    conn: AsyncConnection, found: Found, expected: int | None, user_id: str, fields: Mapping[str, Any]
) -> Problem:
    """Make the 412: the row as it is, as the writer had seen it (null: the log does not tell), and what clashes."""
    base = None
    if expected is not None and 0 < expected <= _LARGEST_VERSION:
        base = await versions.get(conn, found.id, user_id, expected)
    return Problem(
        "stale-version",
        headers={"ETag": etags.of(found.version)},
        current=raw(found.body),
        base=raw(base.data) if base else None,
        conflicts=clashes(to_jsonable(fields), orjson.loads(found.body), orjson.loads(base.data) if base else None),
    )


def clashes(wanted: Mapping[str, Any], current: Mapping[str, Any], base: Mapping[str, Any] | None) -> list[str]:
    """Name the fields that both sides changed, and not to the same value. Without a base: those that differ."""
    return [
        name
        for name, value in wanted.items()
        if current.get(name) != value and (base is None or current.get(name) != base.get(name))
    ]


def to_jsonable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Make the fields comparable with a row's JSON, whose numbers are numbers."""
    numbers = {name: float(value) for name, value in fields.items() if name == "value" and value is not None}
    return dict(to_jsonable_python(fields)) | numbers
