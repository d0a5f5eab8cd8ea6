"""GET /api/start: everything a page needs for its first load, in one request."""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate, session_info
from api.board_view import boards_of, full_board
from api.client_config import client_config
from api.http.compressed_response import compressed
from api.http.json_response import json_response
from api.http.operation import Operation
from api.http.parsing import parse_query
from api.schemas.queries import StartQuery
from api.schemas.responses import Start
from api.state import app_state


async def start(request: Request) -> Response:
    state, principal = app_state(request), await authenticate(request)
    wanted = parse_query(request, StartQuery).board
    boards, snapshot = await boards_of(state, principal.user_id), None
    while boards and snapshot is None:
        board_id = next((board.id for board in boards if board.id == wanted), boards[0].id)
        snapshot = await full_board(state, board_id, principal.user_id, boards)
        # Read the list again, so that no board is missed: one that was granted before the snapshot's cursor is in this
        # list, and the feed delivers later grants.
        boards = await boards_of(state, principal.user_id)
    response = json_response(
        {
            **session_info(principal),
            "config": await client_config(state, principal.user_id),
            "boards": [board._asdict() for board in boards],
            "snapshot": snapshot,
        }
    )
    return await compressed(request, response)


ROUTES = [
    Operation(
        "GET",
        "/api/start",
        start,
        summary="Get your session, the configuration, your boards, and one board in full",
        tag="boards",
        query=StartQuery,
        responses={200: Start},
    )
]
