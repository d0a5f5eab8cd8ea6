"""Writes of a card: what they check, which cached boards they invalidate, and their response."""

from typing import Any
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.cards.access import require_phase, require_writer
from api.http import etags
from api.http.json_response import json_response, raw_json
from api.http.problems import Problem
from api.state import app_state
from db import boards, opportunities
from db.opportunities import Found, Written

WRITE_HEADERS = ("If-Match", "X-Mutation-Id", "traceparent")
WRITE_PROBLEMS = (
    "unknown-opportunity",
    "read-only",
    "board-archived",
    "invalid-if-match",
    "invalid-mutation-id",
    "stale-version",
    "if-match-required",
    "conflict",
)


async def update_card(
    conn: AsyncConnection, found: Found, expected: int | None, user_id: str, fields: dict[str, Any]
) -> Written | None:
    """Write the fields if the user may; None if the card no longer has the expected version."""
    await _check_target(conn, found, user_id, fields)
    return await opportunities.update(conn, found, expected, user_id, fields)


def invalidate_boards(request: Request, *board_ids: str) -> None:
    """Remove boards that were written to from the cache. Call it after the commit and before the response."""
    app_state(request).snapshots.invalidate(*board_ids)


def write_response(found: Found, written: Written) -> Response:
    """Return the row as the write has left it."""
    headers = {"ETag": etags.for_version(written.version)}
    if (written.version, written.body) != (found.version, found.body):  # a write that changes nothing has no event
        headers["X-Event-Xid"] = written.xid
    return json_response(raw_json(written.body), headers=headers)


def created_response(created: Written) -> Response:
    """Return the row that was created, and its address."""
    headers = {
        "ETag": etags.for_version(created.version),
        "Location": f"/api/opportunities/{quote(created.id, safe='')}",
        "X-Event-Xid": created.xid,
    }
    return json_response(raw_json(created.body), 201, headers)


async def _check_target(conn: AsyncConnection, found: Found, user_id: str, fields: dict[str, Any]) -> None:
    """Check that the user may write on the board that the card moves to, and that it has the phase."""
    board_id = fields.get("board_id", found.board_id)
    if board_id == found.board_id and "phase" not in fields:
        return
    access = await boards.access(conn, board_id, user_id, keep_phases=True)
    if access is None:
        raise Problem("unknown-board")
    require_writer(access)
    require_phase(access.phases, fields.get("phase", found.phase))
