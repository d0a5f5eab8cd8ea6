"""Users, as the CRM has them. Who may sign in is decided by tokens, not here."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import users


class User(NamedTuple):
    id: str
    name: str


_USER = select(users.c.id, func.coalesce(users.c.name, users.c.id))


async def get(conn: AsyncConnection, user_id: str) -> User | None:
    row = (await conn.execute(_USER.where(users.c.id == user_id))).one_or_none()
    return User(*row) if row else None


async def first(conn: AsyncConnection, count: int) -> list[User]:
    return [User(*row) for row in await conn.execute(_USER.order_by(users.c.id).limit(count))]


async def realtime(conn: AsyncConnection, user: str | None) -> str:
    """The transport that feed.flags offers a user; None: an unknown user."""
    return str((await conn.execute(select(func.feed.realtime(user)))).scalar_one())
