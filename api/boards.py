"""The boards of a user, and one of them whole, with the cursor to follow it from."""

from starlette.requests import Request
from starlette.responses import Response

from api.auth import principal
from api.body import identifier
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.schemas import Boards, BoardSnapshot
from api.services import services
from db import boards
from db.engine import snapshot
from feed.cursor import Cursor


async def list_boards(request: Request) -> Response:
    who = await principal(request)
    async with services(request).engine.connect() as conn:
        found = await boards.of_user(conn, who.user_id)
    return answer({"boards": [board._asdict() for board in found]})


async def get_board(request: Request) -> Response:
    who = await principal(request)
    board_id = identifier(request, "id", "unknown-board")
    async with snapshot(services(request).engine) as conn:
        found = await boards.snapshot(conn, board_id, who.user_id)
    if found is None:
        raise Problem("unknown-board")
    return answer(
        {
            "board": raw(found.board),
            "role": found.role,
            "members": raw(found.members),
            "opportunities": raw(found.opportunities),
            "cursor": str(Cursor.at(found.feed_id, found.position)),
        }
    )


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
]
