"""What a board has to hold, and reports of who holds something else, in feed.gaps."""

from collections.abc import AsyncGenerator
from typing import NamedTuple, cast

from db.changelog import Connection
from db.sqlfiles import sql

_FETCHED = 500


class Held(NamedTuple):
    """How many rows, and the hash of their ids and versions as eight hexadecimal digits."""

    rows: int
    hash: str


async def board_rows(conn: Connection, board: str) -> AsyncGenerator[tuple[str, str | None, int | None]]:
    """(snapshot, id, version) of each opportunity of a board, all of one snapshot; one without an id where there is none."""
    async with conn.cursor() as cursor:
        async for row in cursor.stream(sql("queries/board_rows"), {"board": board}, size=_FETCHED):
            yield cast(tuple[str, str | None, int | None], row)


async def report(
    conn: Connection,
    instance: str,
    user: str | None,
    connection: str | None,
    board: str,
    cursor: str,
    expected: Held,
    held: Held,
) -> str | None:
    """Note that somebody held something else than was expected; the suspected cause, or None where that was said just now."""
    arguments = {
        "instance": instance,
        "user_id": user,
        "connection": connection,
        "board": board,
        "cursor": cursor,
        "expected_count": expected.rows,
        "expected_hash": expected.hash,
        "held_count": held.rows,
        "held_hash": held.hash,
    }
    row = await (await conn.execute(sql("queries/report_gap"), arguments)).fetchone()
    return None if row is None else row[0]
