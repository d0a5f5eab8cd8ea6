"""GET /api/trigger-log/stream: the log as it grows, for a DBA. What the stream contains is in api.dba.log_tail."""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate_dba
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
    tail = LogTail(state.dba_reads, state.change_watcher, lambda: state.draining, log_filters(query), since)
    state.change_watcher.require_room()
    return EventStreamResponse(tail.messages(principal.expires))


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
