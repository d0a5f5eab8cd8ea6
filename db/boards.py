"""Boards, and who may do what with them. Their snapshots are in db/changelog/snapshots.py."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import board_members, boards
from db.sqlfiles import sql


class Board(NamedTuple):
    id: str
    name: str
    role: str


class Access(NamedTuple):
    role: str
    phases: list[dict[str, Any]]


async def for_users(conn: AsyncConnection, users: Sequence[str]) -> dict[str, list[Board]]:
    """The boards of each of these users who has any."""
    found: defaultdict[str, list[Board]] = defaultdict(list)
    for row in await conn.exec_driver_sql(sql("queries/boards_of"), {"users": list(users)}):
        found[row.user_id].append(Board(row.id, row.name, row.role))
    return dict(found)


async def access(conn: AsyncConnection, board_id: str, user_id: str) -> Access | None:
    """What the user may do with the board; None if it does not exist or the user is not a member."""
    query = (
        select(board_members.c.role, boards.c.phases)
        .join(boards, boards.c.id == board_members.c.board_id)
        .where(board_members.c.board_id == board_id, board_members.c.user_id == user_id)
    )
    row = (await conn.execute(query)).one_or_none()
    return Access(*row) if row else None
