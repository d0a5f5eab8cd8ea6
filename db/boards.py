"""Boards, as their members see them.

Invariant: a board's cards and the position of its cursor come from one snapshot, so whoever follows from that cursor
misses nothing and gets nothing twice.
"""

from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.changelog import Position
from db.models import board_members, boards, identity
from db.sqlfiles import sql


class Board(NamedTuple):
    id: str
    name: str
    role: str


class Access(NamedTuple):
    role: str
    phases: list[dict[str, Any]]


class Snapshot(NamedTuple):
    """The parts are JSON, made by PostgreSQL."""

    board: str
    role: str
    members: str
    opportunities: str
    feed_id: str
    position: Position


async def of_user(conn: AsyncConnection, user_id: str) -> list[Board]:
    query = (
        select(boards.c.id, boards.c.name, board_members.c.role)
        .join(board_members, board_members.c.board_id == boards.c.id)
        .where(board_members.c.user_id == user_id)
        .order_by(boards.c.created_at, boards.c.id)
    )
    return [Board(*row) for row in await conn.execute(query)]


async def access(conn: AsyncConnection, board_id: str, user_id: str) -> Access | None:
    """Tell what the user may do with the board; None where there is none or it is not his."""
    query = (
        select(board_members.c.role, boards.c.phases)
        .join(boards, boards.c.id == board_members.c.board_id)
        .where(board_members.c.board_id == board_id, board_members.c.user_id == user_id)
    )
    row = (await conn.execute(query)).one_or_none()
    return Access(*row) if row else None


async def snapshot(conn: AsyncConnection, board_id: str, user_id: str) -> Snapshot | None:
    """Read the whole board; conn must be in a `db.engine.snapshot`."""
    found = (await conn.exec_driver_sql(sql("queries/board"), {"board": board_id, "user": user_id})).one_or_none()
    if found is None:
        return None
    position = (await conn.exec_driver_sql(sql("queries/position"))).one()
    feed_id: str = (await conn.execute(select(identity.c.feed_id))).scalar_one()
    return Snapshot._make((*found, feed_id, Position._make(position)))
