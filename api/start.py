"""GET /api/start: a page's first load in one request."""

from starlette.requests import Request
from starlette.responses import Response

from api import config
from api.answers import Start
from api.auth import principal, told
from api.boards import whole
from api.body import query
from api.json import answer
from api.operation import Operation
from api.schemas import StartQuery
from api.services import services
from db import boards


async def start(request: Request) -> Response:
    own, who = services(request), await principal(request)
    asked = query(request, StartQuery).board
    async with own.engine.connect() as conn:
        mine = await boards.of_user(conn, who.user_id)
    names = [board.id for board in mine]
    chosen = asked if asked in names else next(iter(names), None)
    snapshot = None if chosen is None else await whole(own, chosen, who.user_id)
    return answer(
        {
            **told(who),
            "config": config.told(own),
            "boards": [board._asdict() for board in mine],
            "snapshot": snapshot,
        }
    )


ROUTES = [
    Operation(
        "GET",
        "/api/start",
        start,
        summary="Who you are, your boards, and one of them whole",
        tag="boards",
        query=StartQuery,
        answers={200: Start},
    )
]
