"""Presence for clients without a WebSocket: they say it again every few seconds, or it ends after 30 s."""

from starlette.requests import Request
from starlette.responses import Response

from api.auth import principal
from api.body import read
from api.cards import visible
from api.operation import Operation
from api.schemas import PresenceClaim
from api.services import services
from db import presence
from db.engine import driver
from db.presence import HTTP, Lease


async def put_presence(request: Request) -> Response:
    who = await principal(request)
    claim = await read(request, PresenceClaim)
    async with services(request).engine.begin() as conn:
        found = await visible(conn, request, who.user_id)
        lease = Lease(_holder(who.user_id), who.user_id, who.name, found.id, claim.action, claim.base_version)
        await presence.claim(await driver(conn), HTTP, [lease])
    return Response(status_code=204)


async def delete_presence(request: Request) -> Response:
    who = await principal(request)
    async with services(request).engine.begin() as conn:
        found = await visible(conn, request, who.user_id)
        await presence.release(await driver(conn), [_holder(who.user_id)], found.id)
    return Response(status_code=204)


def _holder(user_id: str) -> str:
    # All of a user's clients that have no connection are one holder: the last word counts.
    return f"{HTTP}:{user_id}"


_PATH = "/api/opportunities/{id}/presence"

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
]
