"""What is asked of a primary and its standby, so that the log may be read on the standby.

Invariant: a snapshot is the primary's. A standby's own shows transactions as ended that are still in progress: its list of them is
empty while no row of theirs has been replayed. So a standby says how far it is, what has ended there, and which rows there are, but
never what can be seen.
"""

from typing import NamedTuple

from db.changelog.positions import Seen
from db.connection import PsycopgConnection, Row
from db.sqlfiles import sql


class Horizon(NamedTuple):
    """What the primary shows, and two LSNs: what a standby can have now, and where it certainly has all of that."""

    snapshot: str
    flushed: str
    written: str


class StandbyStatus(NamedTuple):
    """Whether this is a standby, of the feed with this id, and of the cluster on which that feed is; and how far it is."""

    standby: bool
    feed_id: str
    same: bool
    lsn: str | None


async def horizon(conn: PsycopgConnection) -> Horizon:
    """What the primary shows now."""
    return Horizon._make(await _one(conn, "queries/horizon", {}))


async def replayed(conn: PsycopgConnection, lsn: str) -> tuple[bool, bool]:
    """Whether this is still a standby, and whether it has replayed up to `lsn`. Not in the transaction that reads the log."""
    standby, reached = await _one(conn, "queries/replayed", {"lsn": lsn})
    return bool(standby), bool(reached)


async def unreplayed(conn: PsycopgConnection, since: Seen, until: Seen) -> tuple[int, ...]:
    """What ended on the primary between two snapshots and not yet on this standby. Not in the transaction that reads the log."""
    parameters = {"since_xmax": since.xmax, "since_xip": list(since.xip), "xmax": until.xmax, "xip": list(until.xip)}
    (xids,) = await _one(conn, "queries/unreplayed", parameters)
    return tuple(xids)


async def standby_status(conn: PsycopgConnection) -> StandbyStatus:
    """Whose standby this is, in the snapshot of this transaction."""
    return StandbyStatus._make(await _one(conn, "queries/replica", {}))


async def _one(conn: PsycopgConnection, query: str, parameters: dict[str, object]) -> Row:
    row = await (await conn.execute(sql(query), parameters)).fetchone()
    if row is None:
        raise LookupError(f"{query} found nothing: feed.identity is empty")
    return row
