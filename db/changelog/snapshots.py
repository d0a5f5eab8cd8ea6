"""Snapshots of boards.

Invariant: a board's opportunities and the position of its cursor come from one database snapshot: a client that follows from that
cursor misses nothing and gets nothing twice.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from db.changelog.positions import Position
from db.sqlfiles import sql


class BoardSnapshot(NamedTuple):
    """board, members, and opportunities are JSON, made by PostgreSQL."""

    board: str
    members: str
    opportunities: str
    feed_id: str
    position: Position


async def read_boards(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, BoardSnapshot]:
    """Read those of the boards that exist."""
    rows = await conn.exec_driver_sql(sql("queries/boards"), {"boards": list(ids)})
    return {
        row.id: BoardSnapshot(row.board, row.members, row.opportunities, row.feed_id, Position._make(row[5:]))
        for row in rows
    }
