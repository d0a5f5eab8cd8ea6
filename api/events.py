"""GET /api/events: the same feed as the feed service's, for when that one is down.

Invariant: this process follows the log by itself. Nothing is encoded here: what the generator yields is what every other client of
the process gets, as bytes.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

import structlog
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.connection import cutting
from api.operation import Operation
from api.problems import Problem
from api.services import services
from feed.recovery.backpressure import mark
from feed.runtime import Runtime
from feed.stream import HEADERS, RETRY, StreamError, StreamRequest
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import TOO_SLOW, CloseReason
from feed.wire.encoding import SSE
from feed.wire.principal import Principal

_log = structlog.get_logger("api")


class Mailbox:
    """A sink that is read by a generator."""

    def __init__(self, mark: int, cut: Callable[[], None]) -> None:
        """`mark`: unread bytes from which on its writer waits; `cut` drops the connection."""
        self._mark = mark
        self._cut = cut
        self._unread: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()

    def write(self, data: bytes) -> None:
        if not self._ended:
            self._unread.append(data)
            self._size += len(data)
            self._changed.set()

    def pending(self) -> int:
        return self._size

    async def drained(self) -> None:
        while self._size > self._mark and not self._ended:
            self._taken.clear()
            await self._taken.wait()

    def close(self, reason: CloseReason, last: bytes) -> None:  # noqa: ARG002 - the last message has said it
        self.write(last)
        self._ended = True
        self._changed.set()

    def abort(self) -> None:
        self._unread.clear()
        self._ended = True
        self._changed.set()
        self._taken.set()
        self._cut()

    async def read(self) -> AsyncIterator[bytes]:
        """Yield what has been written, until the end. It counts as unread until the reader asks for more."""
        while self._unread or not self._ended:
            await self._changed.wait()
            self._changed.clear()
            data = b"".join(self._unread)
            self._unread.clear()
            if data:
                yield data
                self._size -= len(data)
                self._taken.set()


async def events(request: Request) -> Response:
    runtime = services(request).hub
    if runtime is None:
        raise Problem("draining", "this instance serves no streams")
    asked = StreamRequest(request.headers, request.query_params, request.cookies)
    try:
        principal = await asked.admit(runtime)
    except StreamError as error:
        raise Problem(error.slug, str(error)) from error
    messages = _stream(runtime, principal, asked, cutting(request.scope))
    return Stream(messages, runtime.settings.drain_timeout, runtime.metrics)


class Stream(EventSourceResponse):
    """Messages as they come, each with heartbeats of its own. A client that takes nothing for `patience` seconds is cut off."""

    def __init__(self, messages: AsyncIterator[bytes], patience: float, metrics: Metrics | None) -> None:
        super().__init__(messages, headers=HEADERS, ping=0, send_timeout=patience)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            _log.info("a client does not read and is dropped", path=scope["path"])
            if self._metrics is not None:
                self._metrics.slow.labels("dropped").inc()
                self._metrics.closed.labels(TOO_SLOW.name).inc()
            cutting(scope)()


async def _stream(
    runtime: Runtime, principal: Principal, asked: StreamRequest, cut: Callable[[], None]
) -> AsyncIterator[bytes]:
    mailbox = Mailbox(mark(runtime.settings), cut)
    mailbox.write(RETRY)
    subscription = runtime.subscribe(principal, SSE, mailbox, asked.boards, asked.cursor)
    try:
        async for data in mailbox.read():
            yield data
    finally:
        runtime.leave(subscription)


ROUTES = [
    Operation(
        "GET",
        "/api/events",
        events,
        summary="The feed as server-sent events; Last-Event-ID, ?since=, ?boards=, ?ticket=",
        tag="events",
        answers={200: None},
        media_type="text/event-stream",
    )
]
