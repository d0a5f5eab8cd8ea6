"""What the tests of the database ask again and again."""

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


async def mark(conn: Connection) -> int:
    """The newest row of the log; what logged() counts from."""
    return int(await value(conn, "SELECT coalesce(max(seq), 0) FROM feed.log"))


async def logged(conn: Connection, after: int = 0) -> list[dict[str, Any]]:
    """The rows of the log after a seq, in its order; for tests in which transactions come one after the other."""
    return await rows(conn, "SELECT *, xid::text::bigint AS xid FROM feed.log WHERE seq > %s ORDER BY seq", (after,))


async def told(conn: Connection, after: int = 0) -> list[tuple[str, str | None, str | None]]:
    """The same as (op, key, board)."""
    return [(row["op"], row["key"], row["board"]) for row in await logged(conn, after)]


async def refusal(conn: Connection, statement: LiteralString | Composed, parameters: Any = None) -> str | None:
    """The SQLSTATE that a statement ends with; None where it is allowed. Nothing of it stays."""
    try:
        async with conn.transaction(force_rollback=True):
            await conn.execute(statement, parameters)
    except errors.Error as error:
        return error.sqlstate
    return None
