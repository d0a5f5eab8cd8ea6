"""GET /api/flags: the transport that a user is offered, for clients without a stream to notify them of changes."""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.client_config import offered_transport
from api.http.json_response import json_response
from api.http.operation import Operation
from api.http.parsing import parse_query
from api.schemas.queries import FlagsQuery
from api.schemas.responses import Offered
from api.state import app_state

_HOLD = 15.0
"""Seconds. Proxies wait at least 30 for a response; the client and our own handlers wait 20."""


async def get_flags(request: Request) -> Response:
    principal, query, state = await authenticate(request), parse_query(request, FlagsQuery), app_state(request)
    if query.known is not None and state.long_polls is not None:
        request.state.held = True
        await state.long_polls.wait_for_change(principal.user_id, query.known, _HOLD)
    return json_response({"realtime": await offered_transport(state, principal.user_id)})


ROUTES = [
    Operation(
        "GET",
        "/api/flags",
        get_flags,
        summary="Get the transport that you are offered; with `known`, as soon as it changes, or after 15 s",
        tag="config",
        query=FlagsQuery,
        responses={200: Offered},
    )
]
