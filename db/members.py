"""The members of a board. The API decides which users may change them.

Invariant: a transaction that changes a member holds the lock of `boards.lock`, so two that each remove an admin cannot leave none.
"""

from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import board_members
from db.sqlfiles import sql

_members = board_members.c


class Member(NamedTuple):
    user_id: str
    name: str
    role: str


async def get(conn: AsyncConnection, board_id: str, user_id: str) -> Member | None:
    query = select(_members.role).where(_members.board_id == board_id, _members.user_id == user_id)
    role = (await conn.execute(query)).scalar_one_or_none()
    return None if role is None else Member(user_id, await _name(conn, user_id), role)


async def count(conn: AsyncConnection, board_id: str, role: str | None = None) -> int:
    query = select(func.count()).where(_members.board_id == board_id)
    if role is not None:
        query = query.where(_members.role == role)
    return (await conn.execute(query)).scalar_one()


async def count_boards(conn: AsyncConnection, user_id: str) -> int:
    """The number of boards that a user is on."""
    return (await conn.execute(select(func.count()).where(_members.user_id == user_id))).scalar_one()


async def add(conn: AsyncConnection, board_id: str, user_id: str, role: str) -> bool:
    """Add a member; False if the user is one already."""
    row = {"board_id": board_id, "user_id": user_id, "role": role}
    added = insert(board_members).values(row).on_conflict_do_nothing().returning(_members.user_id)
    return (await conn.execute(added)).one_or_none() is not None


async def set_role(conn: AsyncConnection, board_id: str, user_id: str, role: str) -> None:
    changed = update(board_members).where(_members.board_id == board_id, _members.user_id == user_id)
    await conn.execute(changed.where(_members.role != role).values(role=role))


async def remove(conn: AsyncConnection, board_id: str, user_id: str) -> None:
    await conn.execute(delete(board_members).where(_members.board_id == board_id, _members.user_id == user_id))


async def ids_with_email(conn: AsyncConnection, email: str) -> list[str]:
    """IDs of the users with this address, at most two. None are found if the services may not read addresses."""
    found = await conn.execute(select(func.feed.users_with_email(email)))
    return list(found.scalars())


async def _name(conn: AsyncConnection, user_id: str) -> str:
    row = (await conn.exec_driver_sql(sql("queries/user_name"), {"user": user_id})).one_or_none()
    return user_id if row is None else row.name
