"""GET /sse: the feed as server-sent events, built for thousands of clients.

Invariant: after the headers, every byte goes straight to the transport, already chunked if the response is.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from feed.http.connection import HttpConnection
from feed.http.problem import stream_problem
from feed.recovery.backpressure import unread_limit
from feed.runtime import Runtime
from feed.stream_request import HEADERS, RETRY, StreamError, StreamRequest
from feed.wire.close_codes import CloseReason
from feed.wire.encoding import SSE, SSE_CHUNKED, chunk


class StreamSink:
    """Writes chunks directly to the transport."""

    def __init__(self, transport: asyncio.Transport, writer: AbstractStreamWriter, max_unread: int) -> None:
        self._transport = transport
        self._writer = writer
        self._max_unread = max_unread
        transport.set_write_buffer_limits(high=max_unread, low=max_unread)
        self.pending: Callable[[], int] = transport.get_write_buffer_size
        """The method of the transport itself, as an attribute: it is called for every event and client."""
        self.done = asyncio.Event()

    def write(self, data: bytes) -> None:
        if not self.done.is_set() and not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        with contextlib.suppress(ConnectionError):  # connection lost, which ends the stream
            if self.pending() > self._max_unread:
                await self._writer.drain()

    def close(self, reason: CloseReason, last: bytes) -> None:  # noqa: ARG002 - the last message contains the reason
        self.write(last)
        self.done.set()

    def abort(self) -> None:
        self._transport.abort()


class _UnchunkedResponse(web.StreamResponse):
    """A response that ends with its connection."""

    _length_check = False  # otherwise aiohttp chunks every response to HTTP/1.1 that has no length


class SseHandler:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def handle(self, request: web.Request) -> web.StreamResponse:
        runtime = self._runtime
        stream_request = StreamRequest(request.headers, request.rel_url.raw_query_string, request.cookies)
        connection = cast(HttpConnection, request.protocol)
        try:
            principal = await stream_request.admit(runtime, connection.authenticated)
        except StreamError as error:
            return stream_problem(request, error)
        chunked = request.version >= HttpVersion11
        response = (web.StreamResponse if chunked else _UnchunkedResponse)(headers=HEADERS)
        if not chunked:
            response.force_close()
        writer = await response.prepare(request)
        transport = request.transport
        if transport is None or writer is None:
            return response
        sink = StreamSink(transport, writer, unread_limit(runtime.settings))
        sink.write(chunk(RETRY) if chunked else RETRY)
        encoding = SSE_CHUNKED if chunked else SSE
        subscription = stream_request.open(runtime, principal, encoding, sink)
        try:
            await sink.done.wait()
        finally:
            runtime.close_stream(subscription)
        await response.write_eof()
        return response
