"""Checkpoints of boards, and reports of clients whose board differs from the checkpoint."""

from collections.abc import AsyncGenerator
from typing import NamedTuple, cast

from db.connection import PsycopgConnection
from db.sqlfiles import sql

_FETCHED = 500


class BoardDigest(NamedTuple):
    """The number of rows, and the hash of their ids and versions as eight hexadecimal digits."""

    rows: int
    hash: str


async def board_rows(conn: PsycopgConnection, board: str) -> AsyncGenerator[tuple[str, str | None, int | None]]:
    """(snapshot, id, version) of each opportunity of a board, all in one snapshot. Of an empty board, one row without an id."""
    async with conn.cursor() as cursor:
        async for row in cursor.stream(sql("queries/board_rows"), {"board": board}, size=_FETCHED):
            yield cast(tuple[str, str | None, int | None], row)


async def report(
    conn: PsycopgConnection,
    instance: str,
    user: str | None,
    connection: str | None,
    board: str,
    cursor: str,
    expected: BoardDigest,
    held: BoardDigest,
) -> str | None:
    """Record that a client held something else than expected; the suspected cause, or None if that was reported just now."""
    parameters = {
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
    row = await (await conn.execute(sql("queries/report_gap"), parameters)).fetchone()
    return None if row is None else row[0]
