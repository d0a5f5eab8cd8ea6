"""Boards, as their members see them.

Invariant: a board's cards and the position of its cursor come from one snapshot, so whoever follows from that cursor
misses nothing and gets nothing twice.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.changelog import Position
from db.models import board_members, boards
from db.sqlfiles import sql


class Board(NamedTuple):
    id: str
    name: str
    role: str


class Access(NamedTuple):
    role: str
    phases: list[dict[str, Any]]


class Whole(NamedTuple):
    """The parts are JSON, made by PostgreSQL."""

    board: str
    members: str
    opportunities: str
    feed_id: str
    position: Position


async def of_users(conn: AsyncConnection, users: Sequence[str]) -> dict[str, list[Board]]:
    """List the boards of each of some users who has any."""
    found: defaultdict[str, list[Board]] = defaultdict(list)
    for row in await conn.exec_driver_sql(sql("queries/boards_of"), {"users": list(users)}):
        found[row.user_id].append(Board(row.id, row.name, row.role))
    return dict(found)


async def access(conn: AsyncConnection, board_id: str, user_id: str) -> Access | None:
    """Tell what the user may do with the board; None where there is none or it is not his."""
    query = (
        select(board_members.c.role, boards.c.phases)
        .join(boards, boards.c.id == board_members.c.board_id)
        .where(board_members.c.board_id == board_id, board_members.c.user_id == user_id)
    )
    row = (await conn.execute(query)).one_or_none()
    return Access(*row) if row else None


async def whole(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, Whole]:
    """Read those of the boards that there are."""
    rows = await conn.exec_driver_sql(sql("queries/boards"), {"boards": list(ids)})
    return {
        row.id: Whole(row.board, row.members, row.opportunities, row.feed_id, Position._make(row[5:])) for row in rows
    }
