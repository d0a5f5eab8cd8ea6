"""Cards: read, made, changed and deleted by those who may, each under the version that they have seen."""

from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from api import conflicts, etags
from api.answers import Opportunity, OpportunityPage
from api.auth import principal
from api.body import origin, query, read
from api.cards import WRITE_HEADERS, WRITE_PROBLEMS, change, check_phase, check_write, forget, visible, written
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.schemas import NewOpportunity, OpportunityPatch, OpportunityQuery
from api.services import services
from db import boards, opportunities
from db.engine import write


async def list_opportunities(request: Request) -> Response:
    who = await principal(request)
    asked = query(request, OpportunityQuery)
    async with services(request).engine.connect() as conn:
        if asked.board is not None and await boards.access(conn, asked.board, who.user_id) is None:
            raise Problem("unknown-board")
        # One more than asked for tells whether there is a next page.
        found = await opportunities.page(
            conn, who.user_id, board_id=asked.board, after=asked.after, limit=asked.limit + 1
        )
    more = len(found) > asked.limit
    found = found[: asked.limit]
    last = found[-1][0] if more else None
    headers = {}
    if last is not None:
        following = {"after": last, "limit": asked.limit} | ({"board": asked.board} if asked.board else {})
        headers["Link"] = f'</api/opportunities?{urlencode(following)}>; rel="next"'
    return answer({"opportunities": [raw(body) for _, body in found], "next": last}, headers=headers)


async def get_opportunity(request: Request) -> Response:
    who = await principal(request)
    async with services(request).engine.connect() as conn:
        found = await visible(conn, request, who.user_id)
    headers = {"ETag": etags.of(found.version), "Cache-Control": "private, no-cache"}
    if etags.matches(request, etags.of(found.version)):
        return Response(status_code=304, headers=headers)
    return answer(raw(found.body), headers=headers)


async def create_opportunity(request: Request) -> Response:
    who = await principal(request)
    mutation = origin(request)
    new = await read(request, NewOpportunity)
    async with write(services(request).engine, actor=who.user_id, origin=mutation) as conn:
        access = await boards.access(conn, new.board_id, who.user_id)
        if access is None:
            raise Problem("unknown-board")
        check_write(access.role)
        check_phase(access.phases, new.phase)
        made = await opportunities.create(conn, who.user_id, new.model_dump())
        if made is None:
            raise Problem("conflict", "a card has, or had, this id")
    forget(request, new.board_id)
    location = f"/api/opportunities/{quote(made.id, safe='')}"
    return answer(
        raw(made.body),
        201,
        {"ETag": etags.of(made.version), "Location": location, "X-Event-Xid": made.xid},
    )


async def patch_opportunity(request: Request) -> Response:
    who = await principal(request)
    mutation = origin(request)
    expected = etags.expected(request)
    fields = (await read(request, OpportunityPatch)).model_dump(exclude_unset=True)
    async with write(services(request).engine, actor=who.user_id, origin=mutation) as conn:
        found = await visible(conn, request, who.user_id)
        check_write(found.role)
        if expected not in (etags.ANY, found.version):
            raise await conflicts.stale(conn, found, expected, who.user_id, fields)
        changed = await change(conn, found, expected, who.user_id, fields)
        if changed is None:  # between the look and the write
            now = await visible(conn, request, who.user_id)
            raise await conflicts.stale(conn, now, expected or found.version, who.user_id, fields)
    forget(request, found.board_id, fields.get("board_id", found.board_id))
    return written(found, changed)


async def delete_opportunity(request: Request) -> Response:
    who = await principal(request)
    mutation = origin(request)
    expected = etags.expected(request)
    async with write(services(request).engine, actor=who.user_id, origin=mutation) as conn:
        found = await visible(conn, request, who.user_id)
        check_write(found.role)
        if expected not in (etags.ANY, found.version):
            raise await conflicts.stale(conn, found, expected, who.user_id, {})
        xid = await opportunities.delete(conn, found, expected)
        if xid is None:
            now = await visible(conn, request, who.user_id)
            raise await conflicts.stale(conn, now, expected or found.version, who.user_id, {})
    forget(request, found.board_id)
    return Response(status_code=204, headers={"X-Event-Xid": xid})


ROUTES = [
    Operation(
        "GET",
        "/api/opportunities",
        list_opportunities,
        summary="The cards of your boards, or of one, in the order of their ids",
        tag="opportunities",
        query=OpportunityQuery,
        answers={200: OpportunityPage},
        problems=("unknown-board",),
    ),
    Operation(
        "POST",
        "/api/opportunities",
        create_opportunity,
        summary="Make a card",
        tag="opportunities",
        body=NewOpportunity,
        headers=("X-Mutation-Id", "traceparent"),
        answers={201: Opportunity},
        problems=("unknown-board", "read-only", "unknown-phase", "invalid-mutation-id", "conflict"),
    ),
    Operation(
        "GET",
        "/api/opportunities/{id}",
        get_opportunity,
        summary="One card",
        tag="opportunities",
        headers=("If-None-Match",),
        answers={200: Opportunity, 304: None},
        problems=("unknown-opportunity",),
    ),
    Operation(
        "PATCH",
        "/api/opportunities/{id}",
        patch_opportunity,
        summary="Change a card, or move it",
        tag="opportunities",
        body=OpportunityPatch,
        headers=WRITE_HEADERS,
        answers={200: Opportunity},
        problems=(*WRITE_PROBLEMS, "unknown-board", "unknown-phase"),
    ),
    Operation(
        "DELETE",
        "/api/opportunities/{id}",
        delete_opportunity,
        summary="Delete a card; its history stays",
        tag="opportunities",
        headers=WRITE_HEADERS,
        answers={204: None},
        problems=WRITE_PROBLEMS,
    ),
]
