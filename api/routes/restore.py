"""POST …/versions/{n}/restore: writes an old version again, whether the card has changed since or was deleted."""

from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.cards import conflicts
from api.cards.access import find_card, require_writer
from api.cards.writes import WRITE_HEADERS, WRITE_PROBLEMS, created_response, invalidate_boards, write_response
from api.http import etags
from api.http.operation import Operation
from api.http.parsing import path_id, write_origin
from api.http.problems import Problem
from api.schemas.requests import OpportunityPatch
from api.schemas.responses import Opportunity
from api.state import app_state
from db import boards, opportunities, restore, versions
from db.engine import write
from db.opportunities import Found
from db.versions import Version

_RESTORED_FIELDS = frozenset(OpportunityPatch.model_fields) - {"board_id"}


async def restore_version(request: Request) -> Response:
    principal = await authenticate(request)
    origin = write_origin(request)
    number: int = request.path_params["number"]
    card_id, user_id = path_id(request, "id", "unknown-opportunity"), principal.user_id
    async with write(app_state(request).engine, actor=user_id, origin=origin, parents=(number,)) as conn:
        found = await opportunities.get(conn, card_id, user_id)
        version = await versions.get(conn, card_id, user_id, number)
        if found is not None:
            require_writer(found)
        if version is None:
            raise Problem("unknown-version")
        if found is None:
            board_id = version.board_id or ""
            response = await _recreate(conn, card_id, version, board_id, user_id)
        else:
            board_id = found.board_id
            response = await _overwrite(conn, request, found, version, user_id)
    invalidate_boards(request, board_id)
    return response


async def _overwrite(conn: AsyncConnection, request: Request, found: Found, version: Version, user_id: str) -> Response:
    expected = etags.expected_version(request)
    old, current = orjson.loads(version.data), orjson.loads(found.body)
    fields = {name: value for name, value in old.items() if name in _RESTORED_FIELDS}
    if expected not in (etags.ANY_VERSION, found.version):
        raise await conflicts.stale_version(conn, found, expected, user_id, fields)
    # If the board no longer has the old phase, the card stays where it is.
    access = await boards.access(conn, found.board_id, user_id, keep_phases=True)
    phase_exists = any(phase["id"] == old.get("phase") for phase in (access.phases if access else []))
    replacements: dict[str, Any] = (
        {} if phase_exists else {name: current[name] for name in ("phase", "position") if name in current}
    )
    written = await restore.overwrite(conn, found, version, user_id, replacements)
    if written is None:  # it changed after it was read
        now = await find_card(conn, request, user_id)
        raise await conflicts.stale_version(conn, now, found.version, user_id, fields)
    return write_response(found, written)


async def _recreate(conn: AsyncConnection, card_id: str, version: Version, board_id: str, user_id: str) -> Response:
    old = orjson.loads(version.data)
    access = await boards.access(conn, board_id, user_id, keep_phases=True)
    if access is None:
        raise Problem("unknown-version")
    require_writer(access)
    replacements: dict[str, Any] = {}
    if access.phases and all(phase["id"] != old.get("phase") for phase in access.phases):
        first = access.phases[0]["id"]
        replacements = {"phase": first, "position": await opportunities.end_of_phase(conn, board_id, first)}
    return created_response(await restore.recreate(conn, card_id, version, user_id, replacements))


ROUTES = [
    Operation(
        "POST",
        "/api/opportunities/{id}/versions/{number:int}/restore",
        restore_version,
        summary="Restore a version of a card; a deleted card is created again, and needs no If-Match",
        tag="versions",
        headers=WRITE_HEADERS,
        responses={200: Opportunity, 201: Opportunity},
        problems=(*WRITE_PROBLEMS, "unknown-version"),
    )
]
