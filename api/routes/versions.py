"""The versions of a card. They remain after it is deleted."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.http.json_response import json_response, raw_json
from api.http.operation import Operation
from api.http.parsing import parse_query, path_id
from api.http.problems import Problem
from api.schemas.queries import VersionQuery
from api.schemas.responses import Version, VersionPage
from api.state import app_state
from db import versions


async def list_versions(request: Request) -> Response:
    principal = await authenticate(request)
    query = parse_query(request, VersionQuery)
    card_id = path_id(request, "id", "unknown-opportunity")
    async with app_state(request).engine.connect() as conn:
        page = await versions.page(conn, card_id, principal.user_id, before=query.before, limit=query.limit + 1)
        if not page and (
            query.before is None or not await versions.page(conn, card_id, principal.user_id, before=None, limit=1)
        ):
            raise Problem("unknown-opportunity")
    has_more = len(page) > query.limit
    page = page[: query.limit]
    last = page[-1].number if has_more else None
    headers = {}
    if last is not None:
        path = f"/api/opportunities/{quote(card_id, safe='')}/versions"
        headers["Link"] = f'<{path}?before={last}&limit={query.limit}>; rel="next"'
    return json_response({"versions": [raw_json(version.body) for version in page], "next": last}, headers=headers)


async def get_version(request: Request) -> Response:
    principal = await authenticate(request)
    number: int = request.path_params["number"]
    card_id = path_id(request, "id", "unknown-opportunity")
    async with app_state(request).engine.connect() as conn:
        version = await versions.get(conn, card_id, principal.user_id, number)
    if version is None:
        raise Problem("unknown-version")
    return json_response(raw_json(version.body))


ROUTES = [
    Operation(
        "GET",
        "/api/opportunities/{id}/versions",
        list_versions,
        summary="List the versions of a card, newest first, even if it was deleted",
        tag="versions",
        query=VersionQuery,
        responses={200: VersionPage},
        problems=("unknown-opportunity",),
    ),
    Operation(
        "GET",
        "/api/opportunities/{id}/versions/{number:int}",
        get_version,
        summary="Get a version of a card",
        tag="versions",
        responses={200: Version},
        problems=("unknown-opportunity", "unknown-version"),
    ),
]
