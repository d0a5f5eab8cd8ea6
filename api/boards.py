"""The boards of a user, and one of them whole, with the cursor to follow it from.

Invariant: who may see a board is asked of the database for every request. What is told of his role and of the other members is
of the same moment as the cards, so that the cursor covers no change of rights which the answer does not show.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api import etags
from api.answers import BoardPresence, Boards, BoardSnapshot
from api.auth import principal
from api.body import identifier
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.services import Services, services
from db import presence
from db.boards import Board
from db.engine import driver
from feed.presence.tracker import by_user, told
from feed.wire.cursor import Cursor


class Shown(NamedTuple):
    """A board as one user sees it."""

    body: dict[str, Any]
    cursor: str
    tag: str
    """Of all but the cursor and the presence."""


async def list_boards(request: Request) -> Response:
    who = await principal(request)
    return answer({"boards": [board._asdict() for board in await of_user(services(request), who.user_id)]})


async def get_board(request: Request) -> Response:
    own, who = services(request), await principal(request)
    board_id = identifier(request, "id", "unknown-board")
    if "no-cache" in request.headers.get("Cache-Control", ""):
        own.snapshots.forget(board_id)  # who found a gap is shown the table, not what the feed made of it
    shown = await show(own, board_id, who.user_id, await of_user(own, who.user_id), _cursor(request))
    if shown is None:
        raise Problem("unknown-board")
    headers = {"ETag": shown.tag}
    if etags.matches(request, shown.tag):
        # It is as the caller has it, and that was enough up to here.
        return Response(status_code=304, headers=headers | {"X-Feed-Cursor": shown.cursor, "Cache-Control": "no-store"})
    return answer(shown.body | {"presence": await _presence(own, board_id)}, headers=headers)


async def get_presence(request: Request) -> Response:
    own, who = services(request), await principal(request)
    board_id = identifier(request, "id", "unknown-board")
    if _role(await of_user(own, who.user_id), board_id) is None:
        raise Problem("unknown-board")
    return answer({"presence": await _presence(own, board_id)})


async def of_user(own: Services, user_id: str) -> list[Board]:
    """List the boards that a user is a member of now."""
    return await own.memberships.get(user_id) or []


async def whole(own: Services, board_id: str, user_id: str, mine: list[Board]) -> dict[str, Any] | None:
    """Give the body of GET /api/boards/{id}; None where there is none, or it is not his."""
    shown = await show(own, board_id, user_id, mine)
    return None if shown is None else shown.body | {"presence": await _presence(own, board_id)}


async def show(
    own: Services, board_id: str, user_id: str, mine: list[Board], least: Callable[[Cursor], bool] | None = None
) -> Shown | None:
    """Give a board as a user sees it, from memory only if its cursor is `least`; None where there is none, or it is not theirs."""
    role = _role(mine, board_id)
    if role is None:
        return None
    entry = await own.snapshots.get(board_id)
    if entry is not None and (
        entry.roles.get(user_id) != role or not (least is None or least(own.snapshots.cursor(board_id, entry)))
    ):
        # It is from before a change that the hub has not read yet: of rights, or one that the caller has had from another instance.
        entry = await own.snapshots.load(board_id)
    if entry is None or user_id not in entry.roles:
        return None
    role = entry.roles[user_id]
    cursor = str(own.snapshots.cursor(board_id, entry))
    body = {
        "board": raw(entry.board),
        "role": role,
        "members": raw(entry.members),
        "opportunities": raw(entry.opportunities),
        "cursor": cursor,
    }
    return Shown(body, cursor, f'W/"{entry.tag}-{role}"')


def _cursor(request: Request) -> Callable[[Cursor], bool] | None:
    """Whether a snapshot's cursor covers the one that the caller has; nothing covers what is no cursor."""
    given = request.headers.get("X-Feed-Cursor")
    if given is None:
        return None
    try:
        cursor = Cursor.parse(given)
    except ValueError:
        return lambda _: False
    return lambda snapshot: snapshot.feed == cursor.feed and snapshot.covers(cursor)


def _role(mine: list[Board], board_id: str) -> str | None:
    return next((board.role for board in mine if board.id == board_id), None)


async def _presence(own: Services, board_id: str) -> list[dict[str, object]]:
    if own.hub is not None and own.hub.ready:
        return own.hub.presence.state([board_id])
    async with own.engine.connect() as conn:
        seen = by_user(await presence.live(await driver(conn), [board_id]))
    return told(one for users in seen.values() for one in users.values())


ROUTES = [
    Operation("GET", "/api/boards", list_boards, summary="Your boards", tag="boards", answers={200: Boards}),
    Operation(
        "GET",
        "/api/boards/{id}",
        get_board,
        summary="A board: phases, members, cards, and the cursor of the same moment",
        tag="boards",
        headers=("If-None-Match", "Cache-Control", "X-Feed-Cursor"),
        answers={200: BoardSnapshot, 304: None},
        problems=("unknown-board",),
    ),
    Operation(
        "GET",
        "/api/boards/{id}/presence",
        get_presence,
        summary="Who is where on a board, for clients that poll",
        tag="boards",
        answers={200: BoardPresence},
        problems=("unknown-board",),
    ),
]
