"""Boards, and who may do what with them. Their snapshots are in db/changelog/snapshots.py."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import adopted, board_members, boards
from db.sqlfiles import sql


class Board(NamedTuple):
    id: str
    name: str
    role: str
    archived: bool = False


class Access(NamedTuple):
    role: str
    phases: list[dict[str, Any]]
    currency: str
    archived: bool
    close_reasons: list[str]


class BoardRow(NamedTuple):
    """A board without its cards and members."""

    id: str
    name: str
    phases: list[dict[str, Any]]
    currency: str
    archived: bool
    version: int
    close_reasons: list[str]
    stale_days: int


COLUMNS = (
    boards.c.id,
    boards.c.name,
    boards.c.phases,
    boards.c.currency,
    boards.c.archived_at.is_not(None).label("archived"),
    boards.c.version_number.label("version"),
    boards.c.close_reasons,
    boards.c.stale_days,
)
"""The columns of a BoardRow."""


async def for_users(conn: AsyncConnection, users: Sequence[str]) -> dict[str, list[Board]]:
    """The boards of each of these users who has any."""
    found: defaultdict[str, list[Board]] = defaultdict(list)
    for row in await conn.exec_driver_sql(sql("queries/boards_of"), {"users": list(users)}):
        found[row.user_id].append(Board(row.id, row.name, row.role, row.archived))
    return dict(found)


async def access(conn: AsyncConnection, board_id: str, user_id: str, *, keep_phases: bool = False) -> Access | None:
    """What the user may do with the board; None if it does not exist or the user is not a member.

    `keep_phases`: no phase is deleted before this transaction ends.
    """
    query = (
        select(
            board_members.c.role,
            boards.c.phases,
            boards.c.currency,
            boards.c.archived_at.is_not(None),
            boards.c.close_reasons,
        )
        .join(boards, boards.c.id == board_members.c.board_id)
        .where(board_members.c.board_id == board_id, board_members.c.user_id == user_id)
    )
    if keep_phases:
        query = query.with_for_update(read=True, key_share=True, of=boards)
    row = (await conn.execute(query)).one_or_none()
    return Access(*row) if row else None


async def lock(conn: AsyncConnection, board_id: str, user_id: str) -> tuple[BoardRow, str] | None:
    """Read a board and the user's role on it. No other request changes it or moves its cards before this transaction ends."""
    query = (
        select(*COLUMNS, board_members.c.role)
        .join(board_members, boards.c.id == board_members.c.board_id)
        .where(boards.c.id == board_id, board_members.c.user_id == user_id)
        .with_for_update(of=boards)
    )
    row = (await conn.execute(query)).one_or_none()
    return (BoardRow(*row[:-1]), row.role) if row else None


async def has_own_table(conn: AsyncConnection) -> bool:
    """Whether the table of the cards is boardcast's. An application's own table decides which boards and phases there are."""
    query = select(adopted.c.created).where(adopted.c.role == "opportunities")
    return bool((await conn.execute(query)).scalar_one_or_none())
