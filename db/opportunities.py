"""Opportunities: read as the JSON that PostgreSQL makes of the row, written under the version that the writer has seen.

Invariant: no write replaces a version that its writer did not name, and none reaches another board: the board that was checked for
permission is part of the statement's condition. The database sets versions and their times.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Text, and_, case, collate, insert, literal_column, or_, select
from sqlalchemy import delete as delete_
from sqlalchemy import update as update_
from sqlalchemy.ext.asyncio import AsyncConnection

from db.changelog.keys import was_opportunity
from db.fractional_index import key_after
from db.models import board_members, boards, opportunities

_O = opportunities.c
_BODY = literal_column("to_jsonb(opportunities.*)::text", Text)
_XID = literal_column("pg_current_xact_id()::text", Text)


class Found(NamedTuple):
    """An opportunity that this user may see, and the user's role on its board."""

    id: str
    board_id: str
    phase: str
    version: int
    role: str
    phases: list[dict[str, Any]]
    body: str


class Written(NamedTuple):
    id: str
    version: int
    body: str
    xid: str


async def get(conn: AsyncConnection, opportunity_id: str, user_id: str) -> Found | None:
    """Read the opportunity; None if it does not exist or the user is not a member of its board."""
    row = (
        await conn.execute(
            select(_O.id, _O.board_id, _O.phase, _O.version_number, board_members.c.role, boards.c.phases, _BODY)
            .join_from(opportunities, boards, boards.c.id == _O.board_id)
            .join(board_members, and_(board_members.c.board_id == _O.board_id, board_members.c.user_id == user_id))
            .where(_O.id == opportunity_id)
        )
    ).one_or_none()
    return Found(*row) if row else None


async def page(
    conn: AsyncConnection, user_id: str, *, board_id: str | None, after: str | None, limit: int
) -> list[tuple[str, str]]:
    """Read (id, body) of the opportunities that the user may see, by id: it never changes, so none is skipped while others move."""
    query = (
        select(_O.id, _BODY)
        .join(board_members, and_(board_members.c.board_id == _O.board_id, board_members.c.user_id == user_id))
        .order_by(_O.id)
        .limit(limit)
    )
    if board_id is not None:
        query = query.where(_O.board_id == board_id)
    if after is not None:
        query = query.where(_O.id > after)
    return [(row[0], row[1]) for row in await conn.execute(query)]


async def create(conn: AsyncConnection, user_id: str, fields: Mapping[str, Any]) -> Written | None:
    """Create an opportunity; None if there ever was one of this id, since its history keeps the id."""
    values = {name: value for name, value in fields.items() if name != "id" or value is not None}
    if "id" in values and await was_opportunity(conn, values["id"]):
        return None
    values["last_modified_by"] = user_id
    if values.get("position") is None:
        values["position"] = await end_of_phase(conn, values["board_id"], values["phase"])
    row = (
        await conn.execute(insert(opportunities).values(values).returning(_O.id, _O.version_number, _BODY, _XID))
    ).one()
    return Written(*row)


async def update(
    conn: AsyncConnection, found: Found, expected: int | None, user_id: str, fields: Mapping[str, Any]
) -> Written | None:
    """Change the opportunity; None if it no longer has the expected version (None: any), or is no longer on its board."""
    values = dict(fields)
    board_id, phase = values.get("board_id", found.board_id), values.get("phase", found.phase)
    moved = board_id != found.board_id or phase != found.phase
    if moved and values.get("position") is None:
        values["position"] = await end_of_phase(conn, board_id, phase)
    if values:
        # A write of the values that are there already changes nothing: no version, no event, no new author.
        differs = or_(*(_O[name].is_distinct_from(value) for name, value in values.items()))
        values["last_modified_by"] = case((differs, user_id), else_=_O.last_modified_by)
    else:
        values["title"] = _O.title
    row = (
        await conn.execute(
            update_(opportunities)
            .where(_still(found, expected))
            .values(values)
            .returning(_O.id, _O.version_number, _BODY, _XID)
        )
    ).one_or_none()
    return Written(*row) if row else None


async def delete(conn: AsyncConnection, found: Found, expected: int | None) -> str | None:
    """Delete the opportunity, and return the transaction's id; None if it no longer has the expected version or board."""
    xid: str | None = await conn.scalar(delete_(opportunities).where(_still(found, expected)).returning(_XID))
    return xid


def _still(found: Found, expected: int | None) -> Any:
    condition = and_(_O.id == found.id, _O.board_id == found.board_id)
    return condition if expected is None else and_(condition, _O.version_number == expected)


async def end_of_phase(conn: AsyncConnection, board_id: str, phase: str) -> str:
    """The position after the last opportunity of the phase."""
    last = await conn.scalar(
        select(_O.position)
        .where(_O.board_id == board_id, _O.phase == phase)
        .order_by(collate(_O.position, "C").desc())
        .limit(1)
    )
    return key_after(last)
