"""The log for people who look into it: filtered pages of it, one change whole, and which rows are new to a cursor.

Invariant: no question costs more than the rows it was allowed to look at, whatever its filter finds among them. A page says how far
it looked, so that the next one goes on from there. Every function must be called in a `db.engine.snapshot`.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db import changelog
from db.changelog import Position, Proof, Seen
from db.engine import driver
from db.sqlfiles import sql

FILTERS = ("table", "key", "board", "actor", "op", "origin", "source", "xid", "text")
_WINDOW, _GROWTH, _LARGEST_WINDOW = 1_000, 4, 16_000
"""Rows that are looked at by a statement: more each time while little is found."""
_PATIENCE = 2.0
"""Seconds after which a page ends although it is not full."""
_NEWEST = 2**63 - 1


class Page(NamedTuple):
    """The newest first. `after` is what to ask for as `before` next; None: there is no more. `back` is how far was looked."""

    changes: list[str]
    after: int | None
    back: datetime | None
    whole: bool
    """False: it ended by time, so that further down there may be what was asked for."""


class Fresh(NamedTuple):
    """Rows in commit order; `too_many`: as many as were allowed, in no order."""

    snapshot: str
    rows: list[tuple[int, int, datetime]]
    too_many: bool


async def bounds(conn: AsyncConnection, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Which numbers lie between two times: from the first up to but not including the second."""
    found = await conn.exec_driver_sql(sql("queries/triggerlog_bounds"), {"since": since, "until": until})
    asked = found.one()
    return asked.low or 0, _NEWEST if asked.high is None else asked.high


async def page(
    conn: AsyncConnection, filters: Mapping[str, str | None], *, floor: int, before: int, limit: int
) -> Page:
    """Read what fits, from the newest below `before` down to `floor`."""
    if filters["xid"] or (filters["table"] and filters["key"]):  # an index leads there, however far down
        return _page(await _rows(conn, filters, low=floor, before=before, limit=limit + 1), limit, None)
    ends, window = time.monotonic() + _PATIENCE, _WINDOW
    found: list[tuple[int, str]] = []
    back: datetime | None = None
    while True:
        span = await _span(conn, floor, before, window)
        if span.rows:
            found += await _rows(conn, filters, low=span.low, before=before, limit=limit + 1 - len(found))
            before, back = span.low, span.at
        if len(found) > limit or span.rows < window:
            return _page(found, limit, back)
        if time.monotonic() > ends:
            return Page([body for _, body in found], before, back, False)
        window = min(window * _GROWTH, _LARGEST_WINDOW)


async def named(conn: AsyncConnection, filters: Mapping[str, str | None], seqs: Sequence[int]) -> list[str]:
    """Read those of some rows that fit, in the order in which they are named."""
    found = dict(await _rows(conn, filters, low=min(seqs), before=max(seqs) + 1, limit=len(seqs), seqs=list(seqs)))
    return [found[seq] for seq in seqs if seq in found]


async def change(conn: AsyncConnection, seq: int) -> str | None:
    """Read one change with both images of its row, as JSON."""
    found = await conn.exec_driver_sql(sql("queries/triggerlog_change"), {"seq": seq})
    body: str | None = found.scalar_one_or_none()
    return body


async def others(conn: AsyncConnection, seq: int, limit: int) -> list[str]:
    """Read the first changes of the transaction that made this one, without images."""
    found = await conn.exec_driver_sql(sql("queries/triggerlog_others"), {"seq": seq, "limit": limit})
    return await named(conn, dict.fromkeys(FILTERS), [row.seq for row in found])


async def explain(conn: AsyncConnection, seq: int) -> str:
    """Read the life of a change, as a JSON array of its steps."""
    return str((await conn.exec_driver_sql(sql("queries/triggerlog_explain"), {"seq": seq})).scalar_one())


async def ends(conn: AsyncConnection) -> tuple[int, int]:
    """How far the log was pruned, and its newest number."""
    found = (await conn.exec_driver_sql(sql("queries/triggerlog_lost"))).one()
    return found.floor_seq, found.last_seq


async def position(conn: AsyncConnection) -> tuple[str, Position]:
    """The feed's id, and where the log stands."""
    raw = await driver(conn)
    return (await changelog.proof(raw, 0)).feed_id, await changelog.position(raw)


async def hold(conn: AsyncConnection) -> None:
    """Keep the log from being pruned until this read ends; before its first question."""
    await conn.exec_driver_sql(sql("queries/log_lock"))


async def proof(conn: AsyncConnection, anchor: int) -> Proof:
    return await changelog.proof(await driver(conn), anchor)


async def fresh(conn: AsyncConnection, since: Seen, most: int) -> Fresh:
    """Which rows a cursor has not seen, in the order in which their transactions were committed."""
    found = await conn.exec_driver_sql(
        sql("queries/triggerlog_unseen"),
        {"since_xmax": str(since.xmax), "since_xip": [str(xid) for xid in since.xip], "limit": most + 1},
    )
    read: list[Any] = list(found.all())
    rows = [(seq, xid, at) for _, seq, xid, at in read if seq is not None]
    last: dict[int, int] = {}
    for seq, xid, _ in rows:
        last[xid] = max(seq, last.get(xid, 0))
    rows.sort(key=lambda row: (last[row[1]], row[0]))
    return Fresh(read[0][0], rows, len(rows) > most)


def _page(found: list[tuple[int, str]], limit: int, back: datetime | None) -> Page:
    kept = found[:limit]
    return Page([body for _, body in kept], kept[-1][0] if len(found) > limit else None, back, True)


async def _span(conn: AsyncConnection, floor: int, before: int, window: int) -> Row[Any]:
    found = await conn.exec_driver_sql(
        sql("queries/triggerlog_span"), {"before": before, "floor": floor, "window": window}
    )
    return found.one()


async def _rows(
    conn: AsyncConnection,
    filters: Mapping[str, str | None],
    *,
    low: int,
    before: int,
    limit: int,
    seqs: list[int] | None = None,
) -> list[tuple[int, str]]:
    text = filters["text"]
    asked = {name: filters[name] for name in FILTERS} | {
        "text": None if text is None else f"%{_literal(text)}%",
        "low": low,
        "before": before,
        "limit": limit,
        "named": seqs,
    }
    found = await conn.exec_driver_sql(sql("queries/triggerlog_rows"), asked)
    return [(row.seq, row.body) for row in found]


def _literal(text: str) -> str:
    """The text as a pattern that fits nothing else."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
