"""GET /api/flags: what a user is offered, for those whom no stream tells it when that changes."""

from starlette.requests import Request
from starlette.responses import Response

from api import config
from api.answers import Offered
from api.auth import principal
from api.body import query
from api.json import answer
from api.operation import Operation
from api.schemas import FlagsQuery
from api.services import services

_HOLD = 15.0
"""Seconds. Proxies give up on an answer after 30 or more, the client after 20 as we do ourselves (api.operation)."""


async def get_flags(request: Request) -> Response:
    who, asked, own = await principal(request), query(request, FlagsQuery), services(request)
    if asked.known is not None and own.waiting is not None:
        request.state.held = True
        await own.waiting.wait(who.user_id, asked.known, _HOLD)
    return answer({"realtime": await config.realtime(own, who.user_id)})


ROUTES = [
    Operation(
        "GET",
        "/api/flags",
        get_flags,
        summary="What you are offered; with `known`, as soon as it is something else, after 15 s at the latest",
        tag="config",
        query=FlagsQuery,
        answers={200: Offered},
    )
]
