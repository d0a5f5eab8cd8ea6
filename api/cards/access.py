"""Which cards a user may see, and which they may change."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from api.http.parsing import path_id
from api.http.problems import Problem
from db import opportunities
from db.boards import Access
from db.opportunities import Found

_WRITERS = frozenset({"editor", "admin"})


async def find_card(conn: AsyncConnection, request: Request, user_id: str) -> Found:
    """Read the card that the path names. Raises a Problem if it is not on one of the user's boards."""
    found = await opportunities.get(conn, path_id(request, "id", "unknown-opportunity"), user_id)
    if found is None:
        raise Problem("unknown-opportunity")
    return found


def require_writer(access: Access | Found) -> None:
    """Check that the user may change cards of a board. The cards of an archived board cannot be changed."""
    if access.role not in _WRITERS:
        raise Problem("read-only")
    if access.archived:
        raise Problem("board-archived")


def require_phase(phases: list[dict[str, Any]], phase: str) -> None:
    known = [each["id"] for each in phases]
    if phase not in known:
        raise Problem("unknown-phase", phases=known)
