"""The pacer's lease, the sequence that lets writers skip NOTIFY, and the wait for those that skipped it.

Invariant: only the holder of the lease sets the sequence, in the statement that renews the lease, and so under the lock of its row.
All times are the database's; they are never compared with this process's clock.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from db.connection import PsycopgConnection, Row
from db.sqlfiles import sql

LEASE = timedelta(seconds=3)
"""How long a lease that is not renewed keeps other instances from pacing. Writers send NOTIFY meanwhile, so it only costs speed."""


class Lease(NamedTuple):
    """A lease that this connection holds. `muted`: NOTIFY is switched off, for the pacer too."""

    muted: bool


async def prepare(conn: PsycopgConnection) -> None:
    """Prepare a direct connection for the functions below."""
    # Nothing here is worth waiting for a disk: after a crash the sequence is reset, and the lease is an older one.
    await conn.execute("SET synchronous_commit = off")


async def claim(conn: PsycopgConnection, instance: str) -> bool:
    """Take the lease if it is free. From then on writers send NOTIFY."""
    return bool(await _rows(conn, "queries/pacer_claim", {"instance": instance, "lease": LEASE}))


async def renew(conn: PsycopgConnection, instance: str, mode: str, *, ahead: int, sent: int) -> Lease | None:
    """Renew the lease that this connection has claimed; None if it is lost.

    Writers skip NOTIFY for `ahead` milliseconds. `sent`: how many NOTIFYs the pacer sent since the last time.
    """
    parameters = {"instance": instance, "mode": mode, "lease": LEASE, "ahead": ahead, "notifications": sent}
    rows = await _rows(conn, "queries/pacer_hold", parameters)
    return Lease(rows[0][0]) if rows else None


async def release(conn: PsycopgConnection, instance: str, *, sent: int) -> None:
    """Let writers send NOTIFY again, and give the lease back if this instance holds it."""
    await _rows(conn, "queries/pacer_release", {"instance": instance, "notifications": sent})


async def barrier(conn: PsycopgConnection) -> int:
    """Mark the transactions that are in progress now, for ended()."""
    ((xid,),) = await _rows(conn, "queries/pacer_barrier", {})
    return int(xid)


async def ended(conn: PsycopgConnection, barrier: int) -> bool:
    """Whether each transaction that was in progress at the barrier has ended: the next read pass finds what it wrote."""
    ((over,),) = await _rows(conn, "queries/pacer_ended", {"barrier": barrier})
    return bool(over)


async def notify(conn: PsycopgConnection) -> None:
    """Wake all instances, and everyone else who listens."""
    await _rows(conn, "queries/pacer_notify", {})


async def _rows(conn: PsycopgConnection, query: str, parameters: dict[str, Any]) -> list[Row]:
    return await (await conn.execute(sql(query), parameters)).fetchall()
