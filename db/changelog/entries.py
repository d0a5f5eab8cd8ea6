"""The log entry by entry, as `boardcast log` shows it: the newest, those in a range, and those that a cursor has not seen.

Invariant: every statement reads a bounded range of the log, whatever the options are. The role feed_dba may run all of
this.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from psycopg.rows import dict_row

from db.changelog.changes import read_changes
from db.changelog.positions import Seen
from db.connection import PsycopgConnection
from db.sqlfiles import sql

Filters = Mapping[str, str | None]
Entry = dict[str, Any]

FILTERS = ("table", "key", "board", "actor", "op", "origin", "source", "xid", "text")
_FIRST, _GROWTH, _LARGEST = 1000, 4, 64_000
"""How many numbers a statement covers: more each time while little is found."""
_CHUNK = 1000
_NO_LIMIT = 2**31 - 1


class Subjects(NamedTuple):
    """Whether what is asked for exists, or existed. `fed`: the table as the log names it, if it is or was logged."""

    board: bool
    opportunity: bool
    fed: str | None
    there: bool


async def look_up(
    conn: PsycopgConnection, *, board: str | None, opportunity: str | None, table: str | None
) -> Subjects:
    parameters = {"board": board, "opportunity": opportunity, "table": table}
    async with conn.cursor(row_factory=dict_row) as cursor:
        found = await (await cursor.execute(sql("queries/log_known"), parameters)).fetchone()
    return Subjects(**(found or {}))


async def seq_bounds(conn: PsycopgConnection) -> tuple[int, int]:
    """The first number, and the one after the last."""
    low, high = await (await conn.execute(sql("queries/log_ends"))).fetchone() or (1, 1)
    return low, high


async def first_seq_since(conn: PsycopgConnection, moment: datetime) -> int:
    """The number of the first change that was written after a time."""
    parameters = {"since": moment, "until": None}
    row = await (await conn.execute(sql("queries/triggerlog_bounds"), parameters)).fetchone()
    return int(row[0]) if row else 0


async def newest(conn: PsycopgConnection, filters: Filters, *, low: int, high: int, limit: int) -> list[Entry]:
    """The newest matching entries of a range, the oldest of them first."""
    found: list[Entry] = []
    window = high - low if filters.get("table") and filters.get("key") else _FIRST  # an index finds those of a row
    while high > low and len(found) < limit:
        start = max(low, high - window)
        found += await _entries(conn, filters, low=start, before=high, limit=limit - len(found))
        high, window = start, max(window, min(window * _GROWTH, _LARGEST))
    return found[::-1]


async def in_range(conn: PsycopgConnection, filters: Filters, *, low: int, high: int) -> AsyncIterator[Entry]:
    """All matching entries of a range, in the order of their numbers."""
    for start in range(low, high, _FIRST):
        for entry in reversed(await _entries(conn, filters, low=start, before=min(high, start + _FIRST), limit=_FIRST)):
            yield entry


async def unseen(conn: PsycopgConnection, since: Seen, until: Seen | None = None) -> AsyncIterator[int]:
    """The numbers of the changes that a cursor has not seen, in the order in which a client receives them."""
    async with aclosing(read_changes(conn, since, until, threshold=_NO_LIMIT, chunk=_CHUNK)) as chunks:
        async for chunk in chunks:
            for change in chunk.changes:
                yield change.seq


async def by_seq(conn: PsycopgConnection, filters: Filters, seqs: Collection[int]) -> list[Entry]:
    """The matching ones of these entries, in this order."""
    return [orjson.loads(body) for body in await bodies_by_seq(conn, filters, seqs)]


async def bodies_by_seq(conn: PsycopgConnection, filters: Filters, seqs: Collection[int]) -> list[str]:
    """The same, as JSON."""
    if not seqs:
        return []
    bounds = {"low": min(seqs), "before": max(seqs) + 1, "limit": len(seqs)}
    found = dict(await rows(conn, filters, **bounds, seqs=list(seqs)))
    return [found[seq] for seq in seqs if seq in found]


async def rows(
    conn: PsycopgConnection, filters: Filters, *, low: int, before: int, limit: int, seqs: list[int] | None = None
) -> list[tuple[int, str]]:
    """The newest matching entries of a range, the newest first, each with its number and its JSON; only `seqs` if given."""
    parameters = dict.fromkeys(FILTERS) | dict(filters)
    if (text := parameters["text"]) is not None:
        parameters["text"] = f"%{_literal(text)}%"
    bounds = {"low": low, "before": before, "limit": limit, "named": seqs}
    return await (await conn.execute(sql("queries/triggerlog_rows"), parameters | bounds)).fetchall()


async def _entries(conn: PsycopgConnection, filters: Filters, *, low: int, before: int, limit: int) -> list[Entry]:
    return [orjson.loads(body) for _, body in await rows(conn, filters, low=low, before=before, limit=limit)]


def _literal(text: str) -> str:
    """The text as a pattern that matches nothing else."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
