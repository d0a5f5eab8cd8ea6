"""Cards: listed, read, created, changed, and deleted. A write names the version that it replaces."""

from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.cards import conflicts
from api.cards.access import find_card, require_phase, require_writer
from api.cards.writes import (
    WRITE_HEADERS,
    WRITE_PROBLEMS,
    created_response,
    invalidate_boards,
    update_card,
    write_response,
)
from api.http import etags
from api.http.json_response import json_response, raw_json
from api.http.operation import Operation
from api.http.parsing import parse_body, parse_query, write_origin
from api.http.problems import Problem
from api.schemas.queries import OpportunityQuery
from api.schemas.requests import NewOpportunity, OpportunityPatch
from api.schemas.responses import Opportunity, OpportunityPage
from api.state import app_state
from db import boards, opportunities
from db.engine import write


async def list_opportunities(request: Request) -> Response:
    principal = await authenticate(request)
    query = parse_query(request, OpportunityQuery)
    async with app_state(request).engine.connect() as conn:
        if query.board is not None and await boards.access(conn, query.board, principal.user_id) is None:
            raise Problem("unknown-board")
        # One more than requested shows whether there is a next page.
        page = await opportunities.page(
            conn, principal.user_id, board_id=query.board, after=query.after, limit=query.limit + 1
        )
    has_more = len(page) > query.limit
    page = page[: query.limit]
    last = page[-1][0] if has_more else None
    headers = {}
    if last is not None:
        parameters = {"after": last, "limit": query.limit} | ({"board": query.board} if query.board else {})
        headers["Link"] = f'</api/opportunities?{urlencode(parameters)}>; rel="next"'
    return json_response({"opportunities": [raw_json(row) for _, row in page], "next": last}, headers=headers)


async def get_opportunity(request: Request) -> Response:
    principal = await authenticate(request)
    async with app_state(request).engine.connect() as conn:
        found = await find_card(conn, request, principal.user_id)
    tag = etags.for_card(found.version, orjson.loads(found.body).get("details_version"))
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if etags.is_not_modified(request, tag):
        return Response(status_code=304, headers=headers)
    return json_response(raw_json(found.body), headers=headers)


async def create_opportunity(request: Request) -> Response:
    principal = await authenticate(request)
    origin = write_origin(request)
    new = await parse_body(request, NewOpportunity)
    async with write(app_state(request).engine, actor=principal.user_id, origin=origin) as conn:
        access = await boards.access(conn, new.board_id, principal.user_id, keep_phases=True)
        if access is None:
            raise Problem("unknown-board")
        require_writer(access)
        require_phase(access.phases, new.phase)
        created = await opportunities.create(
            conn, principal.user_id, new.model_dump(exclude_unset=True), _defaults(access, new)
        )
        if created is None:
            raise Problem("conflict", "This id belongs to a card, or belonged to one that was deleted. Choose another.")
    invalidate_boards(request, new.board_id)
    return created_response(created)


def _defaults(access: boards.Access, new: NewOpportunity) -> dict[str, Any]:
    """Return what the board says about new cards. A probability of null was chosen."""
    probability = next(phase for phase in access.phases if phase["id"] == new.phase).get("probability")
    if "probability" in new.model_fields_set or not isinstance(probability, int):
        probability = None
    return {"currency": access.currency, "probability": probability}


async def patch_opportunity(request: Request) -> Response:
    principal = await authenticate(request)
    origin = write_origin(request)
    expected = etags.expected_version(request)
    fields = (await parse_body(request, OpportunityPatch)).model_dump(exclude_unset=True)
    async with write(app_state(request).engine, actor=principal.user_id, origin=origin) as conn:
        found = await find_card(conn, request, principal.user_id)
        require_writer(found)
        if expected not in (etags.ANY_VERSION, found.version):
            raise await conflicts.stale_version(conn, found, expected, principal.user_id, fields)
        written = await update_card(conn, found, expected, principal.user_id, fields)
        if written is None:  # it changed after it was read
            current = await find_card(conn, request, principal.user_id)
            raise await conflicts.stale_version(conn, current, expected or found.version, principal.user_id, fields)
    invalidate_boards(request, found.board_id, fields.get("board_id", found.board_id))
    return write_response(found, written)


async def delete_opportunity(request: Request) -> Response:
    principal = await authenticate(request)
    origin = write_origin(request)
    expected = etags.expected_version(request)
    async with write(app_state(request).engine, actor=principal.user_id, origin=origin) as conn:
        found = await find_card(conn, request, principal.user_id)
        require_writer(found)
        if expected not in (etags.ANY_VERSION, found.version):
            raise await conflicts.stale_version(conn, found, expected, principal.user_id, {})
        xid = await opportunities.delete(conn, found, expected)
        if xid is None:  # it changed after it was read
            current = await find_card(conn, request, principal.user_id)
            raise await conflicts.stale_version(conn, current, expected or found.version, principal.user_id, {})
    invalidate_boards(request, found.board_id)
    return Response(status_code=204, headers={"X-Event-Xid": xid})


ROUTES = [
    Operation(
        "GET",
        "/api/opportunities",
        list_opportunities,
        summary="List the cards of your boards, or of one board, by id",
        tag="opportunities",
        query=OpportunityQuery,
        responses={200: OpportunityPage},
        problems=("unknown-board",),
    ),
    Operation(
        "POST",
        "/api/opportunities",
        create_opportunity,
        summary="Create a card",
        tag="opportunities",
        request_body=NewOpportunity,
        headers=("X-Mutation-Id", "traceparent"),
        responses={201: Opportunity},
        problems=("unknown-board", "read-only", "board-archived", "unknown-phase", "invalid-mutation-id", "conflict"),
    ),
    Operation(
        "GET",
        "/api/opportunities/{id}",
        get_opportunity,
        summary="Get a card",
        tag="opportunities",
        headers=("If-None-Match",),
        responses={200: Opportunity, 304: None},
        problems=("unknown-opportunity",),
    ),
    Operation(
        "PATCH",
        "/api/opportunities/{id}",
        patch_opportunity,
        summary="Change a card, or move it",
        tag="opportunities",
        request_body=OpportunityPatch,
        headers=WRITE_HEADERS,
        responses={200: Opportunity},
        problems=(*WRITE_PROBLEMS, "unknown-board", "unknown-phase"),
    ),
    Operation(
        "DELETE",
        "/api/opportunities/{id}",
        delete_opportunity,
        summary="Delete a card; its history stays",
        tag="opportunities",
        headers=WRITE_HEADERS,
        responses={204: None},
        problems=WRITE_PROBLEMS,
    ),
]
