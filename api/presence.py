"""Presence for clients without a WebSocket: they say it again every few seconds, or it ends after 30 s."""

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.auth import principal
from api.body import identifier, read
from api.cards import visible
from api.operation import Operation
from api.problems import Problem
from api.schemas import PresenceClaim
from api.services import services
from db import boards, presence
from db.engine import driver
from db.presence import HTTP, Lease, Place


async def put_presence(request: Request) -> Response:
    who = await principal(request)
    claim = await read(request, PresenceClaim)
    async with services(request).engine.begin() as conn:
        found = await visible(conn, request, who.user_id)
        lease = Lease(_holder(who.user_id), who.user_id, who.name, Place(found.id), claim.action, claim.base_version)
        await presence.claim(await driver(conn), HTTP, [lease])
    return Response(status_code=204)


async def delete_presence(request: Request) -> Response:
    who = await principal(request)
    async with services(request).engine.begin() as conn:
        found = await visible(conn, request, who.user_id)
        await presence.release(await driver(conn), [_holder(who.user_id)], Place(found.id))
    return Response(status_code=204)


async def put_board(request: Request) -> Response:
    who = await principal(request)
    async with services(request).engine.begin() as conn:
        place = await _board(conn, request, who.user_id)
        await presence.claim(await driver(conn), HTTP, [Lease(_holder(who.user_id), who.user_id, who.name, place)])
    return Response(status_code=204)


async def delete_board(request: Request) -> Response:
    who = await principal(request)
    async with services(request).engine.begin() as conn:
        place = await _board(conn, request, who.user_id)
        await presence.release(await driver(conn), [_holder(who.user_id)], place)
    return Response(status_code=204)


async def _board(conn: AsyncConnection, request: Request, user_id: str) -> Place:
    """The board that the path names, among the user's."""
    board_id = identifier(request, "id", "unknown-board")
    if await boards.access(conn, board_id, user_id) is None:
        raise Problem("unknown-board")
    return Place(board_id=board_id)


def _holder(user_id: str) -> str:
    # All of a user's clients that have no connection are one holder: the last word counts.
    return f"{HTTP}:{user_id}"


_PATH = "/api/opportunities/{id}/presence"
_BOARD = "/api/boards/{id}/presence"

ROUTES = [
    Operation(
        "PUT",
        _PATH,
        put_presence,
        summary="You view or edit this card; again every 10 s, or it ends after 30 s",
        tag="presence",
        body=PresenceClaim,
        answers={204: None},
        problems=("unknown-opportunity",),
    ),
    Operation(
        "DELETE",
        _PATH,
        delete_presence,
        summary="You do not any more",
        tag="presence",
        answers={204: None},
        problems=("unknown-opportunity",),
    ),
    Operation(
        "PUT",
        _BOARD,
        put_board,
        summary="You look at this board and at none of its cards; again every 10 s, or it ends after 30 s",
        tag="presence",
        answers={204: None},
        problems=("unknown-board",),
    ),
    Operation(
        "DELETE",
        _BOARD,
        delete_board,
        summary="You do not any more",
        tag="presence",
        answers={204: None},
        problems=("unknown-board",),
    ),
]
