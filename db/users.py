"""People, as the CRM knows them. Who may sign in is the token's affair."""

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
    """Look up what a user is offered by feed.flags; None: somebody of whom nothing is known."""
    return str((await conn.execute(select(func.feed.realtime(user)))).scalar_one())
