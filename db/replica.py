"""What is asked of a primary and its standby, so that the standby may be read in the primary's place.

Invariant: a snapshot is the primary's. A standby's own shows as ended what is still in progress: its list is empty while there are
transactions without a row of theirs replayed. So a standby says how far it is, what has ended there and
what rows there are, never what can be seen.
"""

from typing import Any, NamedTuple

from db.changelog import Connection, Seen
from db.sqlfiles import sql


class Horizon(NamedTuple):
    """What the primary shows, and places in its WAL (LSN): what a standby can have now, and where it surely has all of that."""

    snapshot: str
    flushed: str
    written: str


class Standing(NamedTuple):
    """Whether this is a standby, of the feed with this id, and of the cluster on which that feed is; and how far it is."""

    standby: bool
    feed_id: str
    same: bool
    lsn: str | None


async def horizon(conn: Connection) -> Horizon:
    """What the primary shows now."""
    return Horizon._make(await _one(conn, "queries/horizon", {}))


async def replayed(conn: Connection, lsn: str) -> tuple[bool, bool]:
    """Of a standby: whether it is one still, and whether it has replayed so far. Not in the transaction that reads then."""
    standby, reached = await _one(conn, "queries/replayed", {"lsn": lsn})
    return bool(standby), bool(reached)


async def unreplayed(conn: Connection, since: Seen, until: Seen) -> tuple[int, ...]:
    """Of a standby: what ended on the primary between two snapshots, and not here yet. Not in the transaction that reads then."""
    arguments = {"since_xmax": since.xmax, "since_xip": list(since.xip), "xmax": until.xmax, "xip": list(until.xip)}
    (xids,) = await _one(conn, "queries/unreplayed", arguments)
    return tuple(xids)


async def standing(conn: Connection) -> Standing:
    """Whose standby this is, in the snapshot of this transaction."""
    return Standing._make(await _one(conn, "queries/replica", {}))


async def _one(conn: Connection, query: str, arguments: dict[str, object]) -> tuple[Any, ...]:
    row = await (await conn.execute(sql(query), arguments)).fetchone()
    if row is None:
        raise LookupError(f"{query} found nothing: feed.identity is empty")
    return row
