"""POST …/resolve-conflict: the resolution of a conflict, as a new version that names the two it was made from.

Invariant: a resolution is valid only for the two versions that it names. If the card has changed again, nothing is
written, and the response is the same 412 as for a stale PATCH.
"""

from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.cards import conflicts
from api.cards.access import find_card, require_writer
from api.cards.writes import WRITE_PROBLEMS, invalidate_boards, update_card, write_response
from api.http import etags
from api.http.json_response import json_response, raw_json
from api.http.operation import Operation
from api.http.parsing import parse_body, write_origin
from api.http.problems import Problem
from api.schemas.requests import Resolution
from api.schemas.responses import Opportunity
from api.state import app_state
from db.engine import write
from db.opportunities import Found


async def resolve_conflict(request: Request) -> Response:
    principal = await authenticate(request)
    origin = write_origin(request)
    resolution = await parse_body(request, Resolution)
    client_version, user_id = resolution.clientVersion, principal.user_id
    parents = tuple(dict.fromkeys((client_version, resolution.serverVersion)))
    async with write(app_state(request).engine, actor=user_id, origin=origin, parents=parents) as conn:
        found = await find_card(conn, request, user_id)
        require_writer(found)
        fields = _chosen_fields(resolution)
        if found.version != resolution.serverVersion:
            raise await conflicts.stale_version(conn, found, client_version, user_id, fields)
        if resolution.resolution == "server":
            return json_response(raw_json(found.body), headers={"ETag": etags.for_version(found.version)})
        if resolution.resolution == "merge" and resolution.mergedData is None:
            fields = await _merge(conn, found, client_version, user_id, fields)
        written = await update_card(conn, found, found.version, user_id, fields)
        if written is None:  # it changed after it was read
            current = await find_card(conn, request, user_id)
            raise await conflicts.stale_version(conn, current, client_version, user_id, fields)
    invalidate_boards(request, found.board_id, fields.get("board_id", found.board_id))
    return write_response(found, written)


def _chosen_fields(resolution: Resolution) -> dict[str, Any]:
    """Return what the user decided, or else what the client had wanted."""
    chosen = resolution.clientData if resolution.mergedData is None else resolution.mergedData
    return {} if chosen is None else chosen.model_dump(exclude_unset=True)


async def _merge(
    conn: AsyncConnection, found: Found, client_version: int, user_id: str, fields: dict[str, Any]
) -> dict[str, Any]:
    """Return the fields to write. Raises a Problem if both sides changed the same ones."""
    base = await conflicts.read_base(conn, found, client_version, user_id)
    result = conflicts.merge_fields(
        conflicts.to_jsonable(fields), orjson.loads(found.body), orjson.loads(base) if base else None
    )
    if result.conflicts:
        raise Problem(
            "merge-conflict",
            headers={"ETag": etags.for_version(found.version)},
            conflicts=result.conflicts,
            merged=result.fields,
            current=raw_json(found.body),
            base=raw_json(base) if base else None,
        )
    # The values as they were parsed, except the notes, which may have been merged by lines.
    return {name: result.fields[name] if name == "notes" else fields[name] for name in result.fields}


ROUTES = [
    Operation(
        "POST",
        "/api/opportunities/{id}/resolve-conflict",
        resolve_conflict,
        summary="Resolve a conflict with the client's version, the server's, or a merge of both",
        tag="opportunities",
        request_body=Resolution,
        headers=("X-Mutation-Id", "traceparent"),
        responses={200: Opportunity},
        problems=(
            *(slug for slug in WRITE_PROBLEMS if "if-match" not in slug),
            *("merge-conflict", "unknown-board", "unknown-phase"),
        ),
    )
]
