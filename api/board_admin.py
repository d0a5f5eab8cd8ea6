"""What all changes of boards and members share: the check of the user's role, and the responses.

Invariant: the board is locked from the check of the user's role until the commit, so a role that is lost meanwhile changes
nothing.
"""

from typing import Any
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.http import etags
from api.http.json_response import json_response
from api.http.parsing import path_id
from api.http.problems import Problem
from api.state import app_state
from db import boards
from db.boards import BoardRow
from db.members import Member


async def lock_board(conn: AsyncConnection, request: Request, user_id: str) -> tuple[BoardRow, str]:
    """Lock the board that the path names. Return it with the user's role. Raises a Problem if the user is not a member."""
    found = await boards.lock(conn, path_id(request, "id", "unknown-board"), user_id)
    if found is None:
        raise Problem("unknown-board")
    return found


def require_admin(role: str) -> None:
    if role != "admin":
        raise Problem("admin-only")


async def require_own_table(conn: AsyncConnection, what: str) -> None:
    if not await boards.has_own_table(conn):
        raise Problem("application-board", f"{what} in the application; boardcast follows its table.")


def board_json(board: BoardRow) -> dict[str, Any]:
    names = {"close_reasons": "closeReasons", "stale_days": "staleDays"}
    return {names.get(name, name): value for name, value in board._asdict().items()}


def member_json(member: Member) -> dict[str, Any]:
    return {"userId": member.user_id, "name": member.name, "role": member.role}


def board_response(board: BoardRow, xid: str | None, status: int = 200) -> Response:
    """Return the board as the change has left it. `xid` is None if nothing changed."""
    headers = {"ETag": etags.for_version(board.version)}
    if status == 201:
        headers["Location"] = f"/api/boards/{quote(board.id, safe='')}"
    return json_response(board_json(board), status, headers | _event(xid))


def member_response(board_id: str, member: Member, xid: str | None, status: int = 200) -> Response:
    headers = {"ETag": f'"{member.role}"'}
    if status == 201:
        headers["Location"] = f"/api/boards/{quote(board_id, safe='')}/members/{quote(member.user_id, safe='')}"
    return json_response(member_json(member), status, headers | _event(xid))


def removed_response(xid: str) -> Response:
    return Response(status_code=204, headers=_event(xid))


def invalidate(request: Request, board_id: str) -> None:
    """Remove the board from the cache. Call it after the commit and before the response."""
    app_state(request).snapshots.invalidate(board_id)


def _event(xid: str | None) -> dict[str, str]:
    return {} if xid is None else {"X-Event-Xid": xid}
