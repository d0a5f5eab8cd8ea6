"""The queries to a primary and its standby that allow the log to be read on the standby.

Invariant: every snapshot comes from the primary. A standby's own snapshot shows some transactions as ended that are still in
progress: it lists a transaction only after a row of it has been replayed. So a standby reports how far it has replayed, which
transactions have ended there, and which rows exist, but never which are visible.
"""

from typing import NamedTuple

from db.changelog.positions import Seen, fetch_one
from db.connection import PsycopgConnection


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
    return Horizon._make(await fetch_one(conn, "queries/horizon", {}))


async def replayed(conn: PsycopgConnection, lsn: str) -> tuple[bool, bool]:
    """Whether this is still a standby, and whether it has replayed up to `lsn`. Not in the transaction that reads the log."""
    standby, reached = await fetch_one(conn, "queries/replayed", {"lsn": lsn})
    return bool(standby), bool(reached)


async def unreplayed(conn: PsycopgConnection, since: Seen, until: Seen) -> tuple[int, ...]:
    """What ended on the primary between two snapshots and not yet on this standby. Not in the transaction that reads the log."""
    parameters = {"since_xmax": since.xmax, "since_xip": list(since.xip), "xmax": until.xmax, "xip": list(until.xip)}
    (xids,) = await fetch_one(conn, "queries/unreplayed", parameters)
    return tuple(xids)


async def standby_status(conn: PsycopgConnection) -> StandbyStatus:
    """Whose standby this is, in the snapshot of this transaction."""
    return StandbyStatus._make(await fetch_one(conn, "queries/replica", {}))
