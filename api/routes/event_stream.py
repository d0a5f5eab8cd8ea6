"""GET /api/events: the same event stream as the feed service's, for clients that cannot reach that one.

Invariant: this process follows the log by itself, so the stream does not depend on the feed service.
"""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

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
    return _FeedResponse(runtime, principal, stream_request, partial(abort_connection, request.scope))


class _FeedResponse(EventStreamResponse):
    """Opens the stream when it is sent. Nothing is awaited between the admission and that, so the count of streams is exact."""

    def __init__(
        self, runtime: Runtime, principal: Principal, stream_request: StreamRequest, abort: Callable[[], None]
    ) -> None:
        self._runtime = runtime
        self._principal = principal
        self._stream_request = stream_request
        self._sink = BufferedSink(unread_limit(runtime.settings), abort)
        super().__init__(self._sink.read())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._sink.write(RETRY)
        subscription = self._stream_request.open(self._runtime, self._principal, SSE, self._sink)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._runtime.close_stream(subscription)


ROUTES = [
    Operation(
        "GET",
        "/api/events",
        events,
        summary="Follow the feed as server-sent events; Last-Event-ID, ?since=, ?boards=, ?collapse=, ?ticket=",
        tag="events",
        responses={200: None},
        media_type="text/event-stream",
    )
]
