"""What a board needs to know before anybody has signed in."""

from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.answers import Config
from api.auth import known
from api.json import answer
from api.operation import Operation
from api.services import Services, services
from db import users


async def get_config(request: Request) -> Response:
    own, who = services(request), await known(request)
    return answer(told(own, await realtime(own, who.user_id if who else None)))


async def realtime(own: Services, user: str | None) -> str:
    """Look up what a user is offered; None: somebody of whom nothing is known yet."""
    if own.hub is not None:
        return own.hub.rollout.realtime(user)
    async with own.engine.connect() as conn:
        return await users.realtime(conn, user)


def told(own: Services, offered: str) -> dict[str, Any]:
    """The configuration, as every page gets it."""
    return {
        "feedUrl": own.settings.public_feed_url,
        "realtime": offered,
        "demo": own.settings.demo and own.tokens.issues,
        "version": version("boardcast"),
        "build": own.build,
    }


ROUTES = [
    Operation(
        "GET",
        "/api/config",
        get_config,
        summary="Addresses that a board starts from, and how its user, where one is known, is offered what is new",
        tag="config",
        answers={200: Config},
        public=True,
    )
]
