"""GET /api/config: what a page needs to know before anybody has signed in."""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate_optional
from api.client_config import client_config
from api.http.json_response import json_response
from api.http.operation import Operation
from api.schemas.responses import Config
from api.state import app_state


async def get_config(request: Request) -> Response:
    principal = await authenticate_optional(request)
    return json_response(await client_config(app_state(request), principal.user_id if principal else None))


ROUTES = [
    Operation(
        "GET",
        "/api/config",
        get_config,
        summary="Get the feed's address, the version, and the transport that the user, if known, is offered",
        tag="config",
        responses={200: Config},
        public=True,
    )
]
