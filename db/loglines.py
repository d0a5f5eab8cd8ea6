"""The log row by row, as people read it: the newest, those from a number on, and those that a cursor has not.

Invariant: whatever is asked for, a statement looks at a bounded stretch of the log. Who has the role feed_dba alone may do
all of this.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from psycopg.rows import dict_row

from db.changelog import Connection
from db.sqlfiles import sql

Filters = Mapping[str, str | None]
Line = dict[str, Any]

_NAMES = ("table", "key", "board", "actor", "op", "origin", "source", "xid", "text")
_FIRST, _GROWTH, _LARGEST = 1000, 4, 64_000
"""Numbers that a statement looks at: more each time while little is found."""


class Known(NamedTuple):
    """Whether there is, or was, what is asked for; `fed`: the table as the log names it, where it is fed or was."""

    board: bool
    opportunity: bool
    fed: str | None
    there: bool


async def known(conn: Connection, *, board: str | None, opportunity: str | None, table: str | None) -> Known:
    asked = {"board": board, "opportunity": opportunity, "table": table}
    async with conn.cursor(row_factory=dict_row) as cursor:
        found = await (await cursor.execute(sql("queries/log_known"), asked)).fetchone()
    return Known(**(found or {}))


async def ends(conn: Connection) -> tuple[int, int]:
    """The first number, and the one after the last."""
    low, high = await (await conn.execute(sql("queries/log_ends"))).fetchone() or (1, 1)
    return low, high


async def since(conn: Connection, moment: datetime) -> int:
    """The number from which on changes were written after a time."""
    asked = {"since": moment, "until": None}
    row = await (await conn.execute(sql("queries/triggerlog_bounds"), asked)).fetchone()
    return int(row[0]) if row else 0


async def newest(conn: Connection, filters: Filters, *, low: int, high: int, limit: int) -> list[Line]:
    """The newest of a stretch that fit, the oldest of them first."""
    found: list[Line] = []
    window = high - low if filters.get("table") and filters.get("key") else _FIRST  # an index leads to a row's own
    while high > low and len(found) < limit:
        start = max(low, high - window)
        found += await _rows(conn, filters, low=start, before=high, limit=limit - len(found))
        high, window = start, max(window, min(window * _GROWTH, _LARGEST))
    return found[::-1]


async def stretch(conn: Connection, filters: Filters, *, low: int, high: int) -> AsyncIterator[Line]:
    """All of a stretch that fit, in the order of their numbers."""
    for start in range(low, high, _FIRST):
        for line in reversed(await _rows(conn, filters, low=start, before=min(high, start + _FIRST), limit=_FIRST)):
            yield line


async def named(conn: Connection, filters: Filters, seqs: Collection[int]) -> list[Line]:
    """Those of some rows that fit, in the order in which they are named."""
    if not seqs:
        return []
    bounds = {"low": min(seqs), "before": max(seqs) + 1, "limit": len(seqs)}
    found = {line["seq"]: line for line in await _rows(conn, filters, **bounds, seqs=list(seqs))}
    return [found[seq] for seq in seqs if seq in found]


async def _rows(
    conn: Connection, filters: Filters, *, low: int, before: int, limit: int, seqs: list[int] | None = None
) -> list[Line]:
    asked = dict.fromkeys(_NAMES) | dict(filters)
    bounds = {"low": low, "before": before, "limit": limit, "named": seqs}
    found = await conn.execute(sql("queries/triggerlog_rows"), asked | bounds)
    return [orjson.loads(body) for _, body in await found.fetchall()]
