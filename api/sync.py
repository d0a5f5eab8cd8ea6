"""Polling, and coming back after a long time: what changed since a cursor or a time, as states.

Invariant: lastSync covers what the answer told and nothing more. A cursor that cannot be resumed from is told so (410,
with the reason), never answered as if nothing had happened.
"""

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api import config
from api.answers import Sync
from api.auth import principal
from api.body import query
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.schemas import SyncQuery
from api.services import services
from db import sync
from db.changelog import Seen
from feed.wire.cursor import Cursor, Fault

# In a query string an unescaped + is a space: it was an offset's sign.
_SPACED_OFFSET = re.compile(r" (\d\d:?\d\d)$", re.ASCII)
_NO_TAG = "0" * 8


async def get_sync(request: Request) -> Response:
    who = await principal(request)
    asked, own = query(request, SyncQuery), services(request)
    offered = await config.realtime(own, who.user_id)
    async with sync.moment(own.engine) as conn:
        if not asked.since:
            proof = await sync.proof(conn, 0)
            cards = await sync.everything(conn, who.user_id)
            last = Cursor.at(proof.feed_id, await sync.position(conn))
            return _answer(raw(cards), [], last, offered, more=False)
        cursor = await _cursor(conn, asked.since)
        if cursor.anchor and (hub := own.hub) is not None:
            hub.client_positions.polled(who.user_id, cursor)
        page = await sync.page(conn, who.user_id, cursor.seen, limit=asked.limit)
        if page.anew is not None:
            raise Problem("cursor-reset", reason=page.anew)
        if page.seen is None:
            last = Cursor.at(cursor.feed, await sync.position(conn))
        else:
            last = Cursor(cursor.feed, page.seen, cursor.anchor, cursor.tag)
    return _answer([raw(body) for body in page.changed], page.deleted, last, offered, more=page.seen is not None)


def _answer(cards: Any, deleted: list[str], last: Cursor, offered: str, *, more: bool) -> Response:
    told = {"opportunities": cards, "deletedIds": deleted, "lastSync": str(last), "hasMore": more}
    return answer(told | {"realtime": offered})


async def _cursor(conn: AsyncConnection, since: str) -> Cursor:
    """Read and prove a cursor, or make one for a time."""
    try:
        cursor = Cursor.parse(since)
    except ValueError:
        return await _cursor_at(conn, since)
    fault = cursor.fault(await sync.proof(conn, cursor.anchor))
    if fault is not None:
        raise Problem("cursor-reset", reason=fault)
    return cursor


async def _cursor_at(conn: AsyncConnection, since: str) -> Cursor:
    try:
        time = datetime.fromisoformat(_SPACED_OFFSET.sub(r"+\1", since))
        seen: Seen | None = await sync.at(conn, time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Problem("cursor-reset", reason=Fault.MALFORMED) from None
    if seen is None:
        raise Problem("cursor-reset", reason=Fault.PRUNED)
    return Cursor((await sync.proof(conn, 0)).feed_id, seen, 0, _NO_TAG)


ROUTES = [
    Operation(
        "GET",
        "/api/sync/opportunities",
        get_sync,
        summary="What changed since a cursor or a time; without `since`, every card that you see",
        tag="sync",
        query=SyncQuery,
        answers={200: Sync},
        problems=("cursor-reset",),
    )
]
