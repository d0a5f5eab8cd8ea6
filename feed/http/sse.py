"""GET /sse: the feed as server-sent events, made for thousands of clients.

Invariant: after the headers every byte goes straight to the transport, already in its chunk.
"""

import asyncio
import contextlib
from collections.abc import Callable

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from feed.http.problem import stream_problem
from feed.recovery.backpressure import mark
from feed.runtime import Runtime
from feed.stream import HEADERS, RETRY, StreamError, StreamRequest
from feed.wire.close_codes import CloseReason
from feed.wire.encoding import SSE, SSE_CHUNKED, chunk


class StreamSink:
    """Writes chunks straight to the transport."""

    def __init__(self, transport: asyncio.Transport, writer: AbstractStreamWriter, mark: int) -> None:
        self._transport = transport
        self._writer = writer
        self._mark = mark
        transport.set_write_buffer_limits(high=mark, low=mark)
        self.pending: Callable[[], int] = transport.get_write_buffer_size
        """As an attribute, the transport's own: each event asks each client."""
        self.done = asyncio.Event()

    def write(self, data: bytes) -> None:
        if not self.done.is_set() and not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        with contextlib.suppress(ConnectionError):  # lost, which ends the stream
            if self.pending() > self._mark:
                await self._writer.drain()

    def close(self, reason: CloseReason, last: bytes) -> None:  # noqa: ARG002 - the last message has said it
        self.write(last)
        self.done.set()

    def abort(self) -> None:
        self._transport.abort()


class SseHandler:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def handle(self, request: web.Request) -> web.StreamResponse:
        runtime = self._runtime
        asked = StreamRequest(request.headers, request.query, request.cookies)
        try:
            principal = await asked.admit(runtime)
        except StreamError as error:
            return stream_problem(request, error, asked.cors())
        response = web.StreamResponse(headers={**HEADERS, **asked.cors()})
        writer = await response.prepare(request)
        transport = request.transport
        if transport is None or writer is None:
            return response
        chunked = request.version >= HttpVersion11
        sink = StreamSink(transport, writer, mark(runtime.settings))
        sink.write(chunk(RETRY) if chunked else RETRY)
        encoding = SSE_CHUNKED if chunked else SSE
        subscription = runtime.subscribe(principal, encoding, sink, asked.boards, asked.cursor)
        try:
            await sink.done.wait()
        finally:
            runtime.leave(subscription)
        await response.write_eof()
        return response
