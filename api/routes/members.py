"""The members of a board: invited, given another role, removed. Every member may leave, except the last admin."""

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.board_admin import (
    invalidate,
    lock_board,
    member_json,
    member_response,
    removed_response,
    require_admin,
)
from api.http import etags
from api.http.operation import Operation
from api.http.parsing import parse_body, path_id, write_origin
from api.http.problems import Problem
from api.schemas.board_requests import MemberPatch, NewMember
from api.schemas.responses import Member
from api.state import app_state
from db import board_changes, members, users
from db.engine import write

_MAX_MEMBERS = 1000


async def add_member(request: Request) -> Response:
    state, principal = app_state(request), await authenticate(request)
    origin = write_origin(request)
    new = await parse_body(request, NewMember)
    async with write(state.engine, actor=principal.user_id, origin=origin) as conn:
        board, role = await lock_board(conn, request, principal.user_id)
        require_admin(role)
        user_id = await _find_user(conn, new)
        if await members.count(conn, board.id) >= _MAX_MEMBERS:
            raise Problem("limit-reached", f"A board has at most {_MAX_MEMBERS} members.")
        if await members.count_boards(conn, user_id) >= state.settings.max_boards:
            raise Problem("limit-reached", "This user is on too many boards already.")
        if not await members.add(conn, board.id, user_id, new.role):
            raise Problem("conflict", "This user is a member already.")
        member = await _member(conn, board.id, user_id)
        xid = await board_changes.transaction_id(conn)
    invalidate(request, board.id)
    return member_response(board.id, member, xid, 201)


async def patch_member(request: Request) -> Response:
    principal = await authenticate(request)
    origin = write_origin(request)
    expected = etags.expected_role(request)
    wanted = (await parse_body(request, MemberPatch)).role
    async with write(app_state(request).engine, actor=principal.user_id, origin=origin) as conn:
        board, role = await lock_board(conn, request, principal.user_id)
        require_admin(role)
        before = await _member(conn, board.id, path_id(request, "user", "unknown-member"))
        _check_role(before, expected)
        if wanted != "admin":
            await _keep_an_admin(conn, board.id, before)
        await members.set_role(conn, board.id, before.user_id, wanted)
        xid = await board_changes.transaction_id(conn) if wanted != before.role else None
    invalidate(request, board.id)
    return member_response(board.id, before._replace(role=wanted), xid)


async def remove_member(request: Request) -> Response:
    principal = await authenticate(request)
    origin = write_origin(request)
    expected = etags.expected_role(request)
    async with write(app_state(request).engine, actor=principal.user_id, origin=origin) as conn:
        board, role = await lock_board(conn, request, principal.user_id)
        user_id = path_id(request, "user", "unknown-member")
        if user_id != principal.user_id:
            require_admin(role)
        member = await _member(conn, board.id, user_id)
        _check_role(member, expected)
        await _keep_an_admin(conn, board.id, member)
        await members.remove(conn, board.id, user_id)
        xid = await board_changes.transaction_id(conn)
    invalidate(request, board.id)
    return removed_response(xid)


async def _find_user(conn: AsyncConnection, new: NewMember) -> str:
    """Return the ID of the user to invite."""
    if new.userId is not None:
        user = await users.get(conn, new.userId)
        if user is None:
            raise Problem("unknown-user", "Only users who exist in the application can be invited.")
        return user.id
    found = await members.ids_with_email(conn, new.email or "")
    if len(found) != 1:
        some = "More than one user has" if found else "No user has"
        raise Problem("unknown-user", f"{some} this e-mail address. Name the user by ID instead.")
    return found[0]


async def _member(conn: AsyncConnection, board_id: str, user_id: str) -> members.Member:
    member = await members.get(conn, board_id, user_id)
    if member is None:
        raise Problem("unknown-member")
    return member


def _check_role(member: members.Member, expected: str | None) -> None:
    if expected not in (None, member.role):
        raise Problem("stale-member", headers={"ETag": f'"{member.role}"'}, current=member_json(member))


async def _keep_an_admin(conn: AsyncConnection, board_id: str, leaving: members.Member) -> None:
    if leaving.role == "admin" and await members.count(conn, board_id, "admin") == 1:
        raise Problem("last-admin")


_PATH = "/api/boards/{id}/members/{user}"
_PROBLEMS = (
    "unknown-board",
    "admin-only",
    "unknown-member",
    "stale-member",
    "last-admin",
    "if-match-required",
    "invalid-if-match",
    "invalid-mutation-id",
)
_HEADERS = ("If-Match", "X-Mutation-Id", "traceparent")
ROUTES = [
    Operation(
        "POST",
        "/api/boards/{id}/members",
        add_member,
        summary="Invite a user to a board",
        tag="boards",
        request_body=NewMember,
        headers=("X-Mutation-Id", "traceparent"),
        responses={201: Member},
        problems=("unknown-board", "admin-only", "unknown-user", "conflict", "limit-reached", "invalid-mutation-id"),
    ),
    Operation(
        "PATCH",
        _PATH,
        patch_member,
        summary="Change the role of a member",
        tag="boards",
        request_body=MemberPatch,
        headers=_HEADERS,
        responses={200: Member},
        problems=_PROBLEMS,
    ),
    Operation(
        "DELETE",
        _PATH,
        remove_member,
        summary="Remove a member, or leave the board",
        tag="boards",
        headers=_HEADERS,
        responses={204: None},
        problems=_PROBLEMS,
    ),
]
