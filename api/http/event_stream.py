"""Server-sent events as a Starlette response.

Invariant: nothing is encoded here. The bytes that the generator yields are the ones that every other client of the
process gets, and what a client has not read is bounded.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

import structlog
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from api.http.connection import abort_connection
from feed.stream_request import HEADERS
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import TOO_SLOW, CloseReason

_log = structlog.get_logger("api")


class BufferedSink:
    """A subscription's sink, read by a generator."""

    def __init__(self, high_water_mark: int, abort: Callable[[], None]) -> None:
        """`high_water_mark`: unread bytes above which drained() waits. `abort` closes the connection."""
        self._high_water_mark = high_water_mark
        self._abort = abort
        self._unread: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._data_written = asyncio.Event()
        self._data_read = asyncio.Event()

    def write(self, data: bytes) -> None:
        if not self._closed:
            self._unread.append(data)
            self._size += len(data)
            self._data_written.set()

    def pending(self) -> int:
        return self._size

    async def drained(self) -> None:
        while self._size > self._high_water_mark and not self._closed:
            self._data_read.clear()
            await self._data_read.wait()

    def close(self, reason: CloseReason, last: bytes) -> None:  # noqa: ARG002 - the last message contains it
        self.write(last)
        self._closed = True
        self._data_written.set()

    def abort(self) -> None:
        self._unread.clear()
        self._closed = True
        self._data_written.set()
        self._data_read.set()
        self._abort()

    async def read(self) -> AsyncIterator[bytes]:
        """Yield what was written, until the sink is closed. Data counts as unread until the next item is requested."""
        while self._unread or not self._closed:
            await self._data_written.wait()
            self._data_written.clear()
            data = b"".join(self._unread)
            self._unread.clear()
            if data:
                yield data
                self._size -= len(data)
                self._data_read.set()


class EventStreamResponse(EventSourceResponse):
    """Sends messages, heartbeats included. A client that reads nothing for `send_timeout` seconds is dropped."""

    def __init__(self, messages: AsyncIterator[bytes], send_timeout: float, metrics: Metrics | None) -> None:
        super().__init__(messages, headers=HEADERS, ping=0, send_timeout=send_timeout)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            _log.info("slow client dropped", path=scope["path"])
            if self._metrics is not None:
                self._metrics.slow.labels("dropped").inc()
                self._metrics.closed.labels(TOO_SLOW.name).inc()
            abort_connection(scope)
