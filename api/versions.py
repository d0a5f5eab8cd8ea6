"""The history of a card, which outlives it."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from api.answers import Version, VersionPage
from api.auth import principal
from api.body import identifier, query
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.schemas import VersionQuery
from api.services import services
from db import versions


async def list_versions(request: Request) -> Response:
    who = await principal(request)
    asked = query(request, VersionQuery)
    id_ = identifier(request, "id", "unknown-opportunity")
    async with services(request).engine.connect() as conn:
        found = await versions.page(conn, id_, who.user_id, before=asked.before, limit=asked.limit + 1)
        if not found and (
            asked.before is None or not await versions.page(conn, id_, who.user_id, before=None, limit=1)
        ):
            raise Problem("unknown-opportunity")
    more = len(found) > asked.limit
    found = found[: asked.limit]
    last = found[-1].number if more else None
    headers = {}
    if last is not None:
        path = f"/api/opportunities/{quote(id_, safe='')}/versions"
        headers["Link"] = f'<{path}?before={last}&limit={asked.limit}>; rel="next"'
    return answer({"versions": [raw(version.body) for version in found], "next": last}, headers=headers)


async def get_version(request: Request) -> Response:
    who = await principal(request)
    number: int = request.path_params["number"]
    id_ = identifier(request, "id", "unknown-opportunity")
    async with services(request).engine.connect() as conn:
        found = await versions.get(conn, id_, who.user_id, number)
    if found is None:
        raise Problem("unknown-version")
    return answer(raw(found.body))


ROUTES = [
    Operation(
        "GET",
        "/api/opportunities/{id}/versions",
        list_versions,
        summary="A card's versions, newest first; also when it was deleted",
        tag="versions",
        query=VersionQuery,
        answers={200: VersionPage},
        problems=("unknown-opportunity",),
    ),
    Operation(
        "GET",
        "/api/opportunities/{id}/versions/{number:int}",
        get_version,
        summary="One version of a card",
        tag="versions",
        answers={200: Version},
        problems=("unknown-opportunity", "unknown-version"),
    ),
]
