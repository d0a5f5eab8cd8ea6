"""Positions in the log, and the check whether a cursor is still valid for it.

Invariant: a position is a set of transactions, not a number. Two positions of the same log can always be compared.
"""

from datetime import datetime
from typing import NamedTuple

from db.connection import PsycopgConnection, Row
from db.sqlfiles import sql


class Seen(NamedTuple):
    """A set of transactions: all below xmax except those in xip, which were in progress when the snapshot was taken."""

    xmax: int
    xip: tuple[int, ...] = ()

    def __contains__(self, xid: object) -> bool:
        return isinstance(xid, int) and xid < self.xmax and xid not in self.xip


class Position(NamedTuple):
    """Where the log is in one snapshot: its newest transaction, and its newest row. Of an empty log all but snapshot are None."""

    snapshot: str
    last_xid: int | None
    seq: int | None
    xid: int | None
    at: datetime | None


class Proof(NamedTuple):
    """What a cursor is checked against. seq, xid, and at are those of the cursor's anchor row; None if it is missing."""

    feed_id: str
    floor_seq: int
    floor_xid: int
    next_xid: int
    last_seq: int
    seq: int | None
    xid: int | None
    at: datetime | None


async def read_position(conn: PsycopgConnection) -> Position:
    """Where the log is now; in a REPEATABLE READ transaction, in that transaction's snapshot."""
    return Position._make(await fetch_one(conn, "queries/position", {}))


async def read_proof(conn: PsycopgConnection, anchor: int) -> Proof:
    """What a cursor with this anchor is checked against."""
    return Proof._make(await fetch_one(conn, "queries/proof", {"seq": anchor}))


async def rows_after(conn: PsycopgConnection, seen: Seen) -> int:
    """About how many rows the log has after a position, at most. Rows of transactions in progress there do not count."""
    (rows,) = await fetch_one(conn, "queries/rows_after", {"xid": str(seen.xmax)})
    return int(rows)


async def identify_feed(conn: PsycopgConnection) -> str:
    """The feed's id, renewed first if this is another cluster or timeline than the one it was made on. Primary only."""
    (feed_id,) = await fetch_one(conn, "queries/identify", {})
    return str(feed_id)


def between(since: Seen, until: Seen | None) -> dict[str, object]:
    """The parameters of a query for what can be seen at `until` (None: now) and could not at `since`."""
    return {
        "since_xmax": str(since.xmax),
        "since_xip": [str(xid) for xid in since.xip],
        "until_xmax": None if until is None else str(until.xmax),
        "until_xip": [] if until is None else [str(xid) for xid in until.xip],
    }


async def fetch_one(conn: PsycopgConnection, query: str, parameters: dict[str, object]) -> Row:
    """The one row of a query."""
    row = await (await conn.execute(sql(query), parameters)).fetchone()
    if row is None:
        raise LookupError(f"{query} found nothing: feed.identity is empty")
    return row
