"""GET /api/trigger-log/stream: the log as it grows, for a DBA. What the stream contains is in api.dba.log_tail."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.authentication import authenticate_dba
from api.dba.change_watcher import ChangeWatcher
from api.dba.log_filter import log_filters
from api.dba.log_tail import LogTail
from api.http.event_stream import EventStreamResponse
from api.http.operation import Operation
from api.http.parsing import parse_query
from api.schemas.queries import TailQuery
from api.state import app_state


async def follow(request: Request) -> Response:
    principal, state = await authenticate_dba(request), app_state(request)
    query = parse_query(request, TailQuery)
    since = request.headers.get("Last-Event-ID") or query.since
    changed = asyncio.Event()
    tail = LogTail(state.dba_reads, changed, lambda: state.draining, log_filters(query), since)
    state.change_watcher.require_room()
    return _TailResponse(state.change_watcher, changed, tail.messages(principal.expires))


class _TailResponse(EventStreamResponse):
    """Subscribes when it is sent. Nothing is awaited between the check for room and that, so the limit is exact."""

    def __init__(self, watcher: ChangeWatcher, changed: asyncio.Event, messages: AsyncIterator[bytes]) -> None:
        self._watcher = watcher
        self._changed = changed
        super().__init__(messages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._watcher.subscribe(self._changed):
            await super().__call__(scope, receive, send)


ROUTES = [
    Operation(
        "GET",
        "/api/trigger-log/stream",
        follow,
        summary="Follow the log as server-sent events: changes, heartbeat, reset, many, trouble, goodbye",
        tag="dba",
        query=TailQuery,
        headers=("Last-Event-ID",),
        responses={200: None},
        problems=("dba-only", "overloaded"),
        media_type="text/event-stream",
    )
]
