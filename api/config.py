"""What a board needs to know before anybody has signed in."""

from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.answers import Config
from api.json import answer
from api.operation import Operation
from api.services import Services, services


async def get_config(request: Request) -> Response:
    return answer(told(services(request)))


def told(own: Services) -> dict[str, Any]:
    """The configuration, as every page gets it."""
    return {
        "feedUrl": own.settings.public_feed_url,
        "realtime": "websocket",
        "demo": own.settings.demo and own.tokens.issues,
        "version": version("boardcast"),
        "build": own.build,
    }


ROUTES = [
    Operation(
        "GET",
        "/api/config",
        get_config,
        summary="Addresses and flags that a board starts from",
        tag="config",
        answers={200: Config},
        public=True,
    )
]
