"""POST …/versions/{n}/restore: what a card was, it is again, whether it has changed since or was deleted."""

from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api import conflicts, etags
from api.answers import Opportunity
from api.auth import principal
from api.body import identifier, origin
from api.cards import WRITE_HEADERS, WRITE_PROBLEMS, check_write, forget, visible, written
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.schemas import OpportunityPatch
from api.services import services
from db import boards, opportunities, restore, versions
from db.engine import write
from db.opportunities import Found
from db.versions import Version

_WRITABLE = frozenset(OpportunityPatch.model_fields) - {"board_id"}


async def restore_version(request: Request) -> Response:
    who = await principal(request)
    mutation = origin(request)
    number: int = request.path_params["number"]
    id_ = identifier(request, "id", "unknown-opportunity")
    async with write(services(request).engine, actor=who.user_id, origin=mutation, parents=(number,)) as conn:
        found = await opportunities.get(conn, id_, who.user_id)
        version = await versions.get(conn, id_, who.user_id, number)
        if found is not None:
            check_write(found.role)
        if version is None:
            raise Problem("unknown-version")
        if found is None:
            board_id = orjson.loads(version.data)["board_id"]
            answered = await _bring_back(conn, id_, version, board_id, who.user_id)
        else:
            board_id = found.board_id
            answered = await _put_over(conn, request, found, version, who.user_id)
    forget(request, board_id)
    return answered


async def _put_over(conn: AsyncConnection, request: Request, found: Found, version: Version, user_id: str) -> Response:
    expected = etags.expected(request)
    was, now = orjson.loads(version.data), orjson.loads(found.body)
    wanted = {name: value for name, value in was.items() if name in _WRITABLE}
    if expected not in (etags.ANY, found.version):
        raise await conflicts.stale(conn, found, expected, user_id, wanted)
    # A card stays where it is if its board does not know the phase (any more).
    known = any(phase["id"] == was["phase"] for phase in found.phases)
    instead: dict[str, Any] = {} if known else {name: now[name] for name in ("phase", "position")}
    changed = await restore.over(conn, found, version, user_id, instead)
    if changed is None:  # between the look and the write
        later = await visible(conn, request, user_id)
        raise await conflicts.stale(conn, later, found.version, user_id, wanted)
    return written(found, changed)


async def _bring_back(conn: AsyncConnection, id_: str, version: Version, board_id: str, user_id: str) -> Response:
    was = orjson.loads(version.data)
    access = await boards.access(conn, board_id, user_id)
    if access is None:
        raise Problem("unknown-version")
    check_write(access.role)
    instead: dict[str, Any] = {}
    if access.phases and all(phase["id"] != was["phase"] for phase in access.phases):
        first = access.phases[0]["id"]
        instead = {"phase": first, "position": await opportunities.end_of_phase(conn, board_id, first)}
    made = await restore.anew(conn, id_, version, user_id, instead)
    location = f"/api/opportunities/{quote(made.id, safe='')}"
    return answer(raw(made.body), 201, {"ETag": etags.of(made.version), "Location": location, "X-Event-Xid": made.xid})


ROUTES = [
    Operation(
        "POST",
        "/api/opportunities/{id}/versions/{number:int}/restore",
        restore_version,
        summary="Make a card what it was in a version; a deleted one comes back, and needs no If-Match",
        tag="versions",
        headers=WRITE_HEADERS,
        answers={200: Opportunity, 201: Opportunity},
        problems=(*WRITE_PROBLEMS, "unknown-version"),
    )
]
