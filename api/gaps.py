"""Reports of clients that had something else than a checkpoint says. They load the board anew by themselves."""

from starlette.requests import Request
from starlette.responses import Response

from api.auth import principal
from api.body import identifier, read
from api.operation import Operation
from api.problems import Problem
from api.schemas import GapReport, HeldRows
from api.services import services
from db import boards, gaps
from db.engine import driver
from db.gaps import Held


async def post_gap(request: Request) -> Response:
    own, who = services(request), await principal(request)
    found = await read(request, GapReport)
    board_id = identifier(request, "id", "unknown-board")
    async with own.engine.begin() as conn:
        if await boards.access(conn, board_id, who.user_id) is None:
            raise Problem("unknown-board")
        if own.hub is None:
            expected, held = _held(found.expected), _held(found.held)
            await gaps.report(await driver(conn), "api", who.user_id, None, board_id, found.cursor, expected, held)
    if own.hub is not None:
        own.hub.checkpoints.doubt(board_id)
        expected, held = _held(found.expected), _held(found.held)
        await own.hub.gap_reports.report(who.user_id, None, board_id, found.cursor, expected, held)
    return Response(status_code=204)


def _held(rows: HeldRows) -> Held:
    return Held(rows.count, rows.hash)


ROUTES = [
    Operation(
        "POST",
        "/api/boards/{id}/gaps",
        post_gap,
        summary="Your board was not what a checkpoint says: noted for the DBA, at most once in 5 s",
        tag="boards",
        body=GapReport,
        answers={204: None},
        problems=("unknown-board",),
    ),
]
