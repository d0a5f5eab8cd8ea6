"""The boards of a user, one of them in full, and who is on it."""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.board_view import CursorCheck, boards_of, read_presence, role_on, view_board, with_presence
from api.http import etags
from api.http.json_response import json_response
from api.http.operation import Operation
from api.http.parsing import path_id
from api.http.problems import Problem
from api.schemas.responses import BoardPresence, Boards, BoardSnapshot
from api.state import app_state
from feed.wire.cursor import Cursor


async def list_boards(request: Request) -> Response:
    principal = await authenticate(request)
    boards = await boards_of(app_state(request), principal.user_id)
    return json_response({"boards": [board._asdict() for board in boards]})


async def get_board(request: Request) -> Response:
    state, principal = app_state(request), await authenticate(request)
    board_id = path_id(request, "id", "unknown-board")
    if "no-cache" in request.headers.get("Cache-Control", ""):
        state.snapshots.invalidate(board_id)  # a client that found a gap needs the table itself
    boards = await boards_of(state, principal.user_id)
    view = await view_board(state, board_id, principal.user_id, boards, _covers_cursor_of(request))
    if view is None:
        raise Problem("unknown-board")
    headers = {"ETag": view.etag}
    if etags.is_not_modified(request, view.etag):
        # What the client has is complete up to here.
        return Response(status_code=304, headers=headers | {"X-Feed-Cursor": view.cursor, "Cache-Control": "no-store"})
    return json_response(await with_presence(state, board_id, view), headers=headers)


async def get_presence(request: Request) -> Response:
    state, principal = app_state(request), await authenticate(request)
    board_id = path_id(request, "id", "unknown-board")
    if role_on(board_id, await boards_of(state, principal.user_id)) is None:
        raise Problem("unknown-board")
    return json_response({"presence": await read_presence(state, board_id)})


def _covers_cursor_of(request: Request) -> CursorCheck | None:
    """Return a check whether a snapshot's cursor covers the client's. It fails always if the client's is malformed."""
    header = request.headers.get("X-Feed-Cursor")
    if header is None:
        return None
    try:
        cursor = Cursor.parse(header)
    except ValueError:
        return lambda _: False
    return lambda snapshot: snapshot.feed == cursor.feed and snapshot.covers(cursor)


ROUTES = [
    Operation("GET", "/api/boards", list_boards, summary="List your boards", tag="boards", responses={200: Boards}),
    Operation(
        "GET",
        "/api/boards/{id}",
        get_board,
        summary="Get a board: its phases, members, and cards, and the cursor of the same moment",
        tag="boards",
        headers=("If-None-Match", "Cache-Control", "X-Feed-Cursor"),
        responses={200: BoardSnapshot, 304: None},
        problems=("unknown-board",),
    ),
    Operation(
        "GET",
        "/api/boards/{id}/presence",
        get_presence,
        summary="List who views or edits what on a board, for clients that poll",
        tag="boards",
        responses={200: BoardPresence},
        problems=("unknown-board",),
    ),
]
