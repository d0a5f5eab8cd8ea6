"""GET /api/sync/opportunities: the cards that changed since a cursor or a time, for clients that poll.

Invariant: lastSync covers what the response contains and nothing more. A cursor that cannot be resumed is reported as
such (410, with the reason), never treated as if nothing had changed.
"""

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.client_config import offered_transport
from api.http.json_response import json_response, raw_json
from api.http.operation import Operation
from api.http.parsing import parse_query
from api.http.problems import Problem
from api.schemas.queries import SyncQuery
from api.schemas.responses import Sync
from api.state import app_state
from db.changelog import polling
from db.changelog.positions import Seen
from feed.wire.cursor import Cursor, Fault

# In a query string an unescaped + is a space: it was the sign of the UTC offset.
_SPACED_OFFSET = re.compile(r" (\d\d:?\d\d)$", re.ASCII)
_NO_TAG = "0" * 8


async def get_sync(request: Request) -> Response:
    principal = await authenticate(request)
    query, state = parse_query(request, SyncQuery), app_state(request)
    realtime = await offered_transport(state, principal.user_id)
    async with polling.consistent_read(state.engine) as conn:
        if not query.since:
            proof = await polling.proof(conn, 0)
            cards = await polling.all_opportunities(conn, principal.user_id)
            last = Cursor.at(proof.feed_id, await polling.position(conn))
            return _response(raw_json(cards), [], last, realtime, [], has_more=False)
        cursor = await _parse_cursor(conn, query.since)
        if await polling.rows_after(conn, cursor.seen) > state.settings.max_resume_rows:
            raise Problem("cursor-reset", reason=Fault.TOO_FAR)
        if cursor.anchor and state.runtime is not None:
            state.runtime.client_positions.record_poll(principal.user_id, cursor)
        page = await polling.page(conn, principal.user_id, cursor.seen, limit=query.limit)
        if page.reload is not None:
            raise Problem("cursor-reset", reason=page.reload)
        if page.seen is None:
            last = Cursor.at(cursor.feed, await polling.position(conn))
        else:
            last = Cursor(cursor.feed, page.seen, cursor.anchor, cursor.tag)
    rows = [raw_json(row) for row in page.changed]
    return _response(rows, page.deleted, last, realtime, page.boards, has_more=page.seen is not None)


def _response(
    opportunities: Any, deleted: list[str], last: Cursor, realtime: str, boards: list[str], *, has_more: bool
) -> Response:
    return json_response(
        {
            "opportunities": opportunities,
            "deletedIds": deleted,
            "lastSync": str(last),
            "hasMore": has_more,
            "realtime": realtime,
            "changedBoards": boards,
        }
    )


async def _parse_cursor(conn: AsyncConnection, since: str) -> Cursor:
    """Parse a cursor and verify that it belongs to this log, or create one for a time."""
    try:
        cursor = Cursor.parse(since)
    except ValueError:
        return await _cursor_at(conn, since)
    fault = cursor.fault(await polling.proof(conn, cursor.anchor))
    if fault is not None:
        raise Problem("cursor-reset", reason=fault)
    return cursor


async def _cursor_at(conn: AsyncConnection, since: str) -> Cursor:
    try:
        time = datetime.fromisoformat(_SPACED_OFFSET.sub(r"+\1", since))
        seen: Seen | None = await polling.seen_at(conn, time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Problem("cursor-reset", reason=Fault.MALFORMED) from None
    if seen is None:
        raise Problem("cursor-reset", reason=Fault.PRUNED)
    return Cursor((await polling.proof(conn, 0)).feed_id, seen, 0, _NO_TAG)


ROUTES = [
    Operation(
        "GET",
        "/api/sync/opportunities",
        get_sync,
        summary="Get what changed since a cursor or a time; without `since`, all your cards",
        tag="sync",
        query=SyncQuery,
        responses={200: Sync},
        problems=("cursor-reset",),
    )
]
