"""The boards of a user, and one of them whole, with the cursor to follow it from."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.answers import BoardPresence, Boards, BoardSnapshot
from api.auth import principal
from api.body import identifier
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.services import Services, services
from db import boards, presence
from db.engine import driver, snapshot
from feed.cursor import Cursor
from feed.presence import by_user, told


async def list_boards(request: Request) -> Response:
    who = await principal(request)
    async with services(request).engine.connect() as conn:
        found = await boards.of_user(conn, who.user_id)
    return answer({"boards": [board._asdict() for board in found]})


async def get_board(request: Request) -> Response:
    who = await principal(request)
    found = await whole(services(request), identifier(request, "id", "unknown-board"), who.user_id)
    if found is None:
        raise Problem("unknown-board")
    return answer(found)


async def get_presence(request: Request) -> Response:
    own, who = services(request), await principal(request)
    board_id = identifier(request, "id", "unknown-board")
    async with own.engine.connect() as conn:
        if await boards.access(conn, board_id, who.user_id) is None:
            raise Problem("unknown-board")
    return answer({"presence": await _presence(own, board_id)})


async def whole(own: Services, board_id: str, user_id: str) -> dict[str, Any] | None:
    """The board as the user sees it, ready to be written as JSON; None where there is none or it is not his."""
    async with snapshot(own.engine) as conn:
        found = await boards.snapshot(conn, board_id, user_id)
    if found is None:
        return None
    return {
        "board": raw(found.board),
        "role": found.role,
        "members": raw(found.members),
        "opportunities": raw(found.opportunities),
        "presence": await _presence(own, board_id),
        "cursor": str(Cursor.at(found.feed_id, found.position)),
    }


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
        answers={200: BoardSnapshot},
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
