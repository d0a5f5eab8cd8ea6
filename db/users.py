"""The application's users. Tokens decide who may sign in; this module does not."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.sqlfiles import sql


class User(NamedTuple):
    id: str
    name: str


async def get(conn: AsyncConnection, user_id: str) -> User | None:
    row = (await conn.exec_driver_sql(sql("queries/user"), {"user": user_id})).one_or_none()
    return User._make(row) if row else None


async def realtime(conn: AsyncConnection, user: str | None) -> str:
    """The transport that feed.flags offers a user; None: an unknown user."""
    return str((await conn.execute(select(func.feed.realtime(user)))).scalar_one())
