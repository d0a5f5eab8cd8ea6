"""Queries that many tests of the database use."""

from typing import Any, LiteralString

from psycopg import AsyncConnection, errors
from psycopg.rows import DictRow
from psycopg.sql import Composed

Connection = AsyncConnection[DictRow]


async def rows(conn: Connection, statement: LiteralString | Composed, parameters: Any = None) -> list[dict[str, Any]]:
    return await (await conn.execute(statement, parameters)).fetchall()


async def value(conn: Connection, statement: LiteralString, parameters: Any = None) -> Any:
    (row,) = await rows(conn, statement, parameters)
    (only,) = row.values()
    return only


async def newest_seq(conn: Connection) -> int:
    """Return the newest seq of the log; pass it to log_rows() later."""
    return int(await value(conn, "SELECT coalesce(max(seq), 0) FROM feed.log"))


async def log_rows(conn: Connection, after: int = 0) -> list[dict[str, Any]]:
    """Return the rows of the log after a seq, in order; for tests whose transactions do not overlap."""
    return await rows(conn, "SELECT *, xid::text::bigint AS xid FROM feed.log WHERE seq > %s ORDER BY seq", (after,))


async def logged_changes(conn: Connection, after: int = 0) -> list[tuple[str, str | None, str | None]]:
    """Return the same rows as (op, key, board)."""
    return [(row["op"], row["key"], row["board"]) for row in await log_rows(conn, after)]


async def sqlstate_of(conn: Connection, statement: LiteralString | Composed, parameters: Any = None) -> str | None:
    """Run a statement and roll it back. Returns the SQLSTATE of its error, or None if it succeeds."""
    try:
        async with conn.transaction(force_rollback=True):
            await conn.execute(statement, parameters)
    except errors.Error as error:
        return error.sqlstate
    return None


async def add_rows(conn: Connection) -> None:
    """Two users, two boards and a card."""
    await conn.execute("INSERT INTO users (id, name) VALUES ('ana', 'Ana'), ('bruno', 'Bruno')")
    await conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]'), ('b2', 'Two', '[]')")
    await conn.execute("INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o1', 'b1', 'A deal', 'new')")
