"""Presence for clients without a WebSocket. A claim expires 30 s after the last request that renewed it."""

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.cards.access import find_card, require_writer
from api.http.operation import Operation
from api.http.parsing import parse_body, path_id
from api.http.problems import Problem
from api.schemas.requests import PresenceClaim
from api.state import app_state
from db import boards, presence
from db.engine import driver
from db.presence import HTTP, Lease, Place

_CARD_PATH = "/api/opportunities/{id}/presence"
_BOARD_PATH = "/api/boards/{id}/presence"


async def put_presence(request: Request) -> Response:
    principal = await authenticate(request)
    claim = await parse_body(request, PresenceClaim)
    async with app_state(request).engine.begin() as conn:
        card = await find_card(conn, request, principal.user_id)
        if claim.action == "editing":
            require_writer(card)
        place, holder = Place(card.id), _holder(principal.user_id)
        lease = Lease(holder, principal.user_id, principal.name, place, claim.action, claim.base_version)
        await _claim(request, conn, lease)
    return Response(status_code=204)


async def delete_presence(request: Request) -> Response:
    principal = await authenticate(request)
    async with app_state(request).engine.begin() as conn:
        place = Place((await find_card(conn, request, principal.user_id)).id)
        await presence.release(await driver(conn), [_holder(principal.user_id)], place)
    return Response(status_code=204)


async def put_board(request: Request) -> Response:
    principal = await authenticate(request)
    async with app_state(request).engine.begin() as conn:
        place = await _find_board(conn, request, principal.user_id)
        lease = Lease(_holder(principal.user_id), principal.user_id, principal.name, place)
        await _claim(request, conn, lease)
    return Response(status_code=204)


async def delete_board(request: Request) -> Response:
    principal = await authenticate(request)
    async with app_state(request).engine.begin() as conn:
        place = await _find_board(conn, request, principal.user_id)
        await presence.release(await driver(conn), [_holder(principal.user_id)], place)
    return Response(status_code=204)


async def _claim(request: Request, conn: AsyncConnection, lease: Lease) -> None:
    most, connection = app_state(request).settings.max_leases, await driver(conn)
    if await presence.held(connection, lease) >= most:
        raise Problem(
            "too-many-leases", f"You view or edit {most} cards and boards. Stop viewing or editing one first."
        )
    await presence.claim(connection, HTTP, [lease])


async def _find_board(conn: AsyncConnection, request: Request, user_id: str) -> Place:
    """Return the board that the path names. Raises a Problem if it is not one of the user's."""
    board_id = path_id(request, "id", "unknown-board")
    if await boards.access(conn, board_id, user_id) is None:
        raise Problem("unknown-board")
    return Place(board_id=board_id)


def _holder(user_id: str) -> str:
    # All clients of a user that have no connection are one holder: the last request wins.
    return f"{HTTP}:{user_id}"


ROUTES = [
    Operation(
        "PUT",
        _CARD_PATH,
        put_presence,
        summary="Say that you view or edit this card; renew it every 10 s, or it expires after 30 s",
        tag="presence",
        request_body=PresenceClaim,
        responses={204: None},
        problems=("unknown-opportunity", "read-only", "too-many-leases"),
    ),
    Operation(
        "DELETE",
        _CARD_PATH,
        delete_presence,
        summary="Say that you no longer view or edit this card",
        tag="presence",
        responses={204: None},
        problems=("unknown-opportunity",),
    ),
    Operation(
        "PUT",
        _BOARD_PATH,
        put_board,
        summary="Say that you view this board, but no card; renew it every 10 s, or it expires after 30 s",
        tag="presence",
        responses={204: None},
        problems=("unknown-board", "too-many-leases"),
    ),
    Operation(
        "DELETE",
        _BOARD_PATH,
        delete_board,
        summary="Say that you no longer view this board",
        tag="presence",
        responses={204: None},
        problems=("unknown-board",),
    ),
]
