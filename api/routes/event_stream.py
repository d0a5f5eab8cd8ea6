"""GET /api/events: the same event stream as the feed service's, for clients that cannot reach that one.

Invariant: this process follows the log by itself, so the stream does not depend on the feed service.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from api.http.connection import abort_connection
from api.http.event_stream import BufferedSink, EventStreamResponse
from api.http.operation import Operation
from api.http.problems import Problem
from api.state import app_state
from feed.recovery.backpressure import unread_limit
from feed.runtime import Runtime
from feed.stream_request import RETRY, StreamError, StreamRequest
from feed.wire.encoding import SSE
from feed.wire.principal import Principal


async def events(request: Request) -> Response:
    runtime = app_state(request).runtime
    if runtime is None:
        raise Problem("draining", "This instance serves no event streams.")
    stream_request = StreamRequest(request.headers, request.url.query, request.cookies)
    try:
        principal = await stream_request.admit(runtime)
    except StreamError as error:
        raise Problem(error.slug, str(error)) from error
    messages = _messages(runtime, principal, stream_request, partial(abort_connection, request.scope))
    return EventStreamResponse(messages, runtime.settings.drain_timeout, runtime.metrics)


async def _messages(
    runtime: Runtime, principal: Principal, stream_request: StreamRequest, abort: Callable[[], None]
) -> AsyncIterator[bytes]:
    sink = BufferedSink(unread_limit(runtime.settings), abort)
    sink.write(RETRY)
    subscription = runtime.open_stream(principal, SSE, sink, stream_request.boards, stream_request.cursor)
    try:
        async for data in sink.read():
            yield data
    finally:
        runtime.close_stream(subscription)


ROUTES = [
    Operation(
        "GET",
        "/api/events",
        events,
        summary="Follow the feed as server-sent events; Last-Event-ID, ?since=, ?boards=, ?ticket=",
        tag="events",
        responses={200: None},
        media_type="text/event-stream",
    )
]
