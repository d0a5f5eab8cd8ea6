"""GET /api/start: a page's first load in one request."""

from starlette.requests import Request
from starlette.responses import Response

from api import config
from api.answers import Start
from api.auth import principal, told
from api.boards import of_user, whole
from api.body import query
from api.json import answer
from api.operation import Operation
from api.schemas import StartQuery
from api.services import services


async def start(request: Request) -> Response:
    own, who = services(request), await principal(request)
    asked = query(request, StartQuery).board
    mine, snapshot = await of_user(own, who.user_id), None
    while mine and snapshot is None:
        chosen = next((board.id for board in mine if board.id == asked), mine[0].id)
        snapshot = await whole(own, chosen, who.user_id, mine)
        # Again, after it: a board that he was given before this is in the list, and of one later the feed tells from the cursor.
        mine = await of_user(own, who.user_id)
    return answer(
        {
            **told(who),
            "config": config.told(own, await config.realtime(own, who.user_id)),
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
