"""The pacer's lease, the pulse that tells writers not to ring, and the wait for those who did not.

Invariant: the pulse is moved by the lease's holder alone, in the statement that renews the lease and so under the lock of its row.
Times are the database's own; no clock of ours is compared with it.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from db.changelog import Connection
from db.sqlfiles import sql

LEASE = timedelta(seconds=3)
"""How long a lease that is not renewed keeps others from pacing. Meanwhile writers ring, so it costs speed and nothing else."""


class Held(NamedTuple):
    """The lease is ours. `silent`: the bell is switched off, and nobody is to ring."""

    silent: bool


async def prepare(conn: Connection) -> None:
    """Make a direct connection ready for what follows."""
    # Nothing here is worth waiting for a disk: after a crash there is no pulse, and a lease that is older than it was.
    await conn.execute("SET synchronous_commit = off")
    # Of two who claim at once one shall find the lease taken, and not fail for having been the second.
    await conn.execute("SET default_transaction_isolation = 'read committed'")


async def claim(conn: Connection, instance: str) -> bool:
    """Take the lease, if it is there to be taken. The pulse is over then."""
    return bool(await _rows(conn, "queries/pacer_claim", {"instance": instance, "lease": LEASE}))


async def hold(conn: Connection, instance: str, mode: str, *, ahead: int, rung: int) -> Held | None:
    """Renew the lease that this connection has claimed; None when it is lost.

    Writers do not ring for `ahead` milliseconds. `rung`: how often the bell was rung since the last time.
    """
    given = {"instance": instance, "mode": mode, "lease": LEASE, "ahead": ahead, "rung": rung}
    rows = await _rows(conn, "queries/pacer_hold", given)
    return Held(rows[0][0]) if rows else None


async def release(conn: Connection, instance: str, *, rung: int) -> None:
    """End the pulse and give the lease back, if it is ours."""
    await _rows(conn, "queries/pacer_release", {"instance": instance, "rung": rung})


async def barrier(conn: Connection) -> int:
    """What ended() is to be asked about the transactions that are in progress now."""
    ((xid,),) = await _rows(conn, "queries/pacer_barrier", {})
    return int(xid)


async def ended(conn: Connection, barrier: int) -> bool:
    """Whether each transaction that was in progress at the barrier has ended: what it wrote is there for the next sweep."""
    ((over,),) = await _rows(conn, "queries/pacer_ended", {"barrier": barrier})
    return bool(over)


async def ring(conn: Connection, instance: str, seq: int) -> None:
    """Wake all instances, and whoever else listens."""
    await _rows(conn, "queries/pacer_ring", {"instance": instance, "seq": seq})


async def _rows(conn: Connection, query: str, arguments: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await conn.execute(sql(query), arguments)).fetchall()
