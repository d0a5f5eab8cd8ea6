"""For clients that poll: the state of what changed since a cursor, in pages that each end in a cursor.

Invariant: a client that applies every page, whenever it asks for the next, has what the table has. A page holds states and not
events, so it may be newer than its own cursor; what the next page repeats has the version that the client already has. Call every
function in a `consistent_read`: page, proof, and cursor belong to one snapshot.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg.errors import InsufficientPrivilege, UndefinedTable
from psycopg.sql import SQL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.changelog import positions
from db.changelog.positions import Position, Proof, Seen, read_position, read_proof
from db.engine import driver, snapshot
from db.opportunity_table import read_table
from db.sqlfiles import sql

# A row's time is when it was written. It may have been committed much later, and the client's clock may be wrong.
MARGIN = timedelta(minutes=5)


_TABLE = "table of the opportunities"
"""What the information of a pooled connection has its name under, so that each request need not look it up."""


class Page(NamedTuple):
    changed: list[str]
    """The JSON of each opportunity that exists."""
    deleted: list[str]
    """The ids of those that are gone, or not visible to this user any more."""
    seen: Seen | None
    """What the client has seen after this page; None: everything."""
    reload: str | None
    """Why the log cannot say what became of each opportunity: one of WHOLE_TABLE_OPS."""
    boards: list[str]
    """Boards that have changed themselves, or their members, or whether the user is one."""


@asynccontextmanager
async def consistent_read(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a read whose statements all see one snapshot, in which no table was just truncated."""
    async with snapshot(engine) as conn:
        if _TABLE not in conn.info or not await _lock(conn, conn.info[_TABLE]):
            # A query before the lock would fix the snapshot, so start again.
            await (await driver(conn)).rollback()
            conn.info[_TABLE] = (await read_table(conn)).name
            await conn.rollback()
            await _lock(conn, conn.info[_TABLE])
        yield conn


async def _lock(conn: AsyncConnection, table: str) -> bool:
    """Return False if the table of the opportunities is another one by now, or has another name."""
    statement = SQL(sql("queries/sync_lock")).format(table=SQL(table), name=table)
    try:
        cursor = await (await driver(conn)).execute(statement)
    except (UndefinedTable, InsufficientPrivilege):
        return False
    # Two statements, which take one trip: the first has no result.
    cursor.nextset()
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def all_opportunities(conn: AsyncConnection, user_id: str) -> str:
    """Read all the opportunities that the user may see, as a JSON array."""
    found = await conn.exec_driver_sql(sql("queries/sync_all"), {"user": user_id})
    return str(found.scalar_one())


async def page(conn: AsyncConnection, user_id: str, since: Seen, *, limit: int) -> Page:
    """Read what changed: about `limit` opportunities, but at least a transaction."""
    found = await conn.exec_driver_sql(
        sql("queries/sync"),
        {
            "user": user_id,
            "since_xmax": str(since.xmax),
            "since_xip": [str(xid) for xid in since.xip],
            "limit": limit,
        },
    )
    rows = found.all()
    first = rows[0]
    cards = [(row.key, row.body) for row in rows if row.key is not None]
    return Page(
        [body for _, body in cards if body is not None],
        [key for key, body in cards if body is None],
        _after(since, await position(conn), first.upto) if first.more else None,
        first.reload,
        first.boards,
    )


async def position(conn: AsyncConnection) -> Position:
    return await read_position(await driver(conn))


async def proof(conn: AsyncConnection, anchor: int) -> Proof:
    return await read_proof(await driver(conn), anchor)


async def rows_after(conn: AsyncConnection, seen: Seen) -> int:
    return await positions.rows_after(await driver(conn), seen)


async def seen_at(conn: AsyncConnection, time: datetime) -> Seen | None:
    """What a client has seen that has everything from before a time, and nothing else. None: the log does not go back that far."""
    found = await conn.exec_driver_sql(sql("queries/sync_from"), {"at": time - MARGIN})
    row = found.one()
    return None if row.pruned else Seen(row.xid)


def _after(since: Seen, now: Position, upto: int) -> Seen:
    """Add the visible transactions up to and including `upto` to what was seen."""
    xmax = max(since.xmax, upto + 1)
    _, _, in_progress = now.snapshot.split(":")
    running = {int(xid) for xid in in_progress.split(",") if xid}
    later = {xid for xid in since.xip if xid > upto}
    return Seen(xmax, tuple(sorted(later | {xid for xid in running if xid < xmax})))
