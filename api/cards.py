"""What every write of a card goes through: who may, where to, and how it is answered."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api import etags
from api.body import identifier
from api.json import answer, raw
from api.problems import Problem
from api.services import services
from db import boards, opportunities
from db.boards import Access
from db.opportunities import Found, Written

_WRITERS = frozenset({"editor", "admin"})

WRITE_HEADERS = ("If-Match", "X-Mutation-Id", "traceparent")
WRITE_PROBLEMS = (
    "unknown-opportunity",
    "read-only",
    "invalid-if-match",
    "invalid-mutation-id",
    "stale-version",
    "if-match-required",
    "conflict",
)


async def visible(conn: AsyncConnection, request: Request, user_id: str) -> Found:
    """Find the card that the path names, among the user's."""
    found = await opportunities.get(conn, identifier(request, "id", "unknown-opportunity"), user_id)
    if found is None:
        raise Problem("unknown-opportunity")
    return found


def check_write(role: str) -> None:
    if role not in _WRITERS:
        raise Problem("read-only")


def check_phase(phases: list[dict[str, Any]], phase: str) -> None:
    known = [known["id"] for known in phases]
    if phase not in known:
        raise Problem("unknown-phase", phases=known)


async def change(
    conn: AsyncConnection, found: Found, expected: int | None, user_id: str, fields: dict[str, Any]
) -> Written | None:
    """Write the fields where the user may; None where the card is no longer the expected version."""
    await _check_destination(conn, found, user_id, fields)
    return await opportunities.update(conn, found, expected, user_id, fields)


def forget(request: Request, *board_ids: str) -> None:
    """Drop boards that were written to from memory: after the commit, before the answer."""
    services(request).snapshots.forget(*board_ids)


def written(found: Found, changed: Written) -> Response:
    """Answer with the row as the write has left it."""
    headers = {"ETag": etags.of(changed.version)}
    # Who asked for what is there already has made no event.
    if changed.version != found.version:
        headers["X-Event-Xid"] = changed.xid
    return answer(raw(changed.body), headers=headers)


async def _check_destination(conn: AsyncConnection, found: Found, user_id: str, fields: dict[str, Any]) -> None:
    """Writing on the board that a card leaves is not enough: it takes as much on the one it goes to."""
    access: Access | None = Access(found.role, found.phases)
    board_id = fields.get("board_id", found.board_id)
    if board_id != found.board_id:
        access = await boards.access(conn, board_id, user_id)
        if access is None:
            raise Problem("unknown-board")
        check_write(access.role)
    if "phase" in fields or board_id != found.board_id:
        check_phase(access.phases if access else [], fields.get("phase", found.phase))
