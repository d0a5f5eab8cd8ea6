"""How the cards of a board went through its stages, and the cards behind each bar."""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.board_view import boards_of, role_on
from api.http.json_response import json_response, raw_json
from api.http.operation import Operation
from api.http.parsing import parse_query, path_id
from api.http.problems import Problem
from api.schemas.flow import Flow, FlowCards, FlowCardsQuery, FlowQuery
from api.state import app_state
from db.changelog import flow


async def get_flow(request: Request) -> Response:
    board_id, query = await _authorized(request), parse_query(request, FlowQuery)
    async with app_state(request).engine.connect() as conn:
        await flow.catch_up(conn)
        found = await flow.read(conn, board_id, query.period)
    since, until, as_of = query.period
    bounds = list(flow.BOUNDS)
    return json_response({"since": since, "until": until, "asOf": as_of, "bounds": bounds, "flow": raw_json(found)})


async def get_flow_cards(request: Request) -> Response:
    board_id, query = await _authorized(request), parse_query(request, FlowCardsQuery)
    async with app_state(request).engine.connect() as conn:
        await flow.catch_up(conn)
        cards = await flow.cards(
            conn,
            board_id,
            query.period,
            chart=query.chart,
            phase=query.phase,
            next_phase=query.next,
            bucket=query.bucket,
            limit=query.limit,
        )
    rows = [{"id": card.id, "title": card.title, "seconds": card.seconds} for card in cards]
    return json_response({"cards": rows, "total": cards[0].total if cards else 0})


async def _authorized(request: Request) -> str:
    """Return the board that the path names. Every member may see its flow."""
    principal = await authenticate(request)
    board_id = path_id(request, "id", "unknown-board")
    if role_on(board_id, await boards_of(app_state(request), principal.user_id)) is None:
        raise Problem("unknown-board")
    return board_id


ROUTES = [
    Operation(
        "GET",
        "/api/boards/{id}/flow",
        get_flow,
        summary="Get time in stage, conversion, cumulative flow, and cycle time of a period, as of any moment",
        tag="boards",
        query=FlowQuery,
        responses={200: Flow},
        problems=("unknown-board",),
    ),
    Operation(
        "GET",
        "/api/boards/{id}/flow/cards",
        get_flow_cards,
        summary="List the cards behind a bar of the flow, slowest first",
        tag="boards",
        query=FlowCardsQuery,
        responses={200: FlowCards},
        problems=("unknown-board",),
    ),
]
