"""The log for the DBA's page: filtered pages of it, one change with its row images, and which rows are new to a cursor.

Invariant: no query costs more than the rows it was allowed to read, whatever its filter finds among them. A page says how far it
read, and the next one continues there. Call every function in a `db.engine.snapshot`.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db.changelog import entries
from db.changelog.entries import FILTERS, Filters
from db.changelog.positions import Position, Proof, Seen, read_position, read_proof
from db.engine import driver
from db.sqlfiles import sql

_WINDOW, _GROWTH, _LARGEST_WINDOW = 1_000, 4, 16_000
"""Rows that a statement reads: more each time while little is found."""
_PATIENCE = 2.0
"""Seconds after which a page ends even if it is not full."""
_NEWEST = 2**63 - 1


class Page(NamedTuple):
    """The newest first. `after` is the next page's `before`; None: there is no more. `reached`: the time of the oldest row read."""

    changes: list[str]
    after: int | None
    reached: datetime | None
    complete: bool
    """False: it ran out of time, so there may be matching rows further down."""


class Unseen(NamedTuple):
    """Rows in commit order; with `too_many`, as many as were allowed, in no order."""

    snapshot: str
    rows: list[tuple[int, int, datetime]]
    too_many: bool


async def seq_range(conn: AsyncConnection, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The numbers between two times: the first, and the one after the last."""
    found = await conn.exec_driver_sql(sql("queries/triggerlog_bounds"), {"since": since, "until": until})
    bounds = found.one()
    return bounds.low or 0, _NEWEST if bounds.high is None else bounds.high


async def page(conn: AsyncConnection, filters: Filters, *, floor: int, before: int, limit: int) -> Page:
    """Read the matching rows, from the newest below `before` down to `floor`."""
    raw = await driver(conn)
    if filters["xid"] or (filters["table"] and filters["key"]):  # an index finds them, however far down
        return _page(await entries.rows(raw, filters, low=floor, before=before, limit=limit + 1), limit, None)
    ends, window = time.monotonic() + _PATIENCE, _WINDOW
    found: list[tuple[int, str]] = []
    reached: datetime | None = None
    while True:
        span = await _span(conn, floor, before, window)
        if span.rows:
            found += await entries.rows(raw, filters, low=span.low, before=before, limit=limit + 1 - len(found))
            before, reached = span.low, span.at
        if len(found) > limit or span.rows < window:
            return _page(found, limit, reached)
        if time.monotonic() > ends:
            return Page([body for _, body in found], before, reached, False)
        window = min(window * _GROWTH, _LARGEST_WINDOW)


async def by_seq(conn: AsyncConnection, filters: Filters, seqs: Sequence[int]) -> list[str]:
    """Read the matching ones of these rows, in this order, as JSON."""
    return await entries.bodies_by_seq(await driver(conn), filters, seqs)


async def change(conn: AsyncConnection, seq: int) -> str | None:
    """Read one change with both images of its row, as JSON; None if the log does not have it."""
    found = await conn.exec_driver_sql(sql("queries/triggerlog_change"), {"seq": seq})
    body: str | None = found.scalar_one_or_none()
    return body


async def same_transaction(conn: AsyncConnection, seq: int, limit: int) -> list[str]:
    """Read the first changes of the transaction that made this one, without images."""
    found = await conn.exec_driver_sql(sql("queries/triggerlog_others"), {"seq": seq, "limit": limit})
    return await by_seq(conn, dict.fromkeys(FILTERS), [row.seq for row in found])


async def explain(conn: AsyncConnection, seq: int) -> str:
    """Read the life of a change, as a JSON array of its steps."""
    return str((await conn.exec_driver_sql(sql("queries/triggerlog_explain"), {"seq": seq})).scalar_one())


async def seq_bounds(conn: AsyncConnection) -> tuple[int, int]:
    """The number up to which the log was pruned, and its newest number."""
    found = (await conn.exec_driver_sql(sql("queries/triggerlog_lost"))).one()
    return found.floor_seq, found.last_seq


async def position(conn: AsyncConnection) -> tuple[str, Position]:
    """The feed's id, and where the log is."""
    raw = await driver(conn)
    return (await read_proof(raw, 0)).feed_id, await read_position(raw)


async def block_pruning(conn: AsyncConnection) -> None:
    """Keep the log from being pruned until this read ends. Call it before the first query."""
    await conn.exec_driver_sql(sql("queries/log_lock"))


async def proof(conn: AsyncConnection, anchor: int) -> Proof:
    return await read_proof(await driver(conn), anchor)


async def unseen(conn: AsyncConnection, since: Seen, limit: int) -> Unseen:
    """The rows that a cursor has not seen, in the order in which their transactions were committed."""
    found = await conn.exec_driver_sql(
        sql("queries/triggerlog_changes_since"),
        {"since_xmax": str(since.xmax), "since_xip": [str(xid) for xid in since.xip], "limit": limit + 1},
    )
    read: list[Any] = list(found.all())
    rows = [(seq, xid, at) for _, seq, xid, at in read if seq is not None]
    last: dict[int, int] = {}
    for seq, xid, _ in rows:
        last[xid] = max(seq, last.get(xid, 0))
    rows.sort(key=lambda row: (last[row[1]], row[0]))
    return Unseen(read[0][0], rows, len(rows) > limit)


def _page(found: list[tuple[int, str]], limit: int, reached: datetime | None) -> Page:
    kept = found[:limit]
    return Page([body for _, body in kept], kept[-1][0] if len(found) > limit else None, reached, True)


async def _span(conn: AsyncConnection, floor: int, before: int, window: int) -> Row[Any]:
    found = await conn.exec_driver_sql(
        sql("queries/triggerlog_span"), {"before": before, "floor": floor, "window": window}
    )
    return found.one()
