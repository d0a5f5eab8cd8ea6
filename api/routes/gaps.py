"""Reports of clients whose board differed from a checkpoint. Such a client also reloads the board."""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.http.operation import Operation
from api.http.parsing import parse_body, path_id
from api.http.problems import Problem
from api.schemas.requests import GapReport, HeldRows
from api.state import app_state
from db import boards, gap_reports
from db.engine import driver
from db.gap_reports import BoardDigest


async def post_gap(request: Request) -> Response:
    state, principal = app_state(request), await authenticate(request)
    report = await parse_body(request, GapReport)
    board_id = path_id(request, "id", "unknown-board")
    expected, held = _rows(report.expected), _rows(report.held)
    async with state.engine.begin() as conn:
        if await boards.access(conn, board_id, principal.user_id) is None:
            raise Problem("unknown-board")
        if state.runtime is None:
            await gap_reports.report(
                await driver(conn), "api", principal.user_id, None, board_id, report.cursor, expected, held
            )
    if state.runtime is not None:
        state.runtime.checkpoints.request_recount(board_id)
        await state.runtime.gap_reports.report(principal.user_id, None, board_id, report.cursor, expected, held)
    return Response(status_code=204)


def _rows(rows: HeldRows) -> BoardDigest:
    return BoardDigest(rows.count, rows.hash)


ROUTES = [
    Operation(
        "POST",
        "/api/boards/{id}/gaps",
        post_gap,
        summary="Report a board that differed from a checkpoint; recorded for the DBA, at most once in 5 s",
        tag="boards",
        request_body=GapReport,
        responses={204: None},
        problems=("unknown-board",),
    ),
]
