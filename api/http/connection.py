"""An HTTP connection: uvicorn's, with bounds on what a client may cost, and a way to abort an unfinished response.

Invariant: see feed.connection_limits. Few requests wait for the answer to another, and meanwhile nothing more is read. Except
while a request is handled, the connection counts as unauthenticated.

When a connection is lost, every pipelined request on it is notified, not only the last one. A handler may abort its
connection: the client receives nothing more, and the incomplete response is not reported as an error. The end of the
connection ends a stream, without chunks, if the request has HTTP/1.0.
"""

import asyncio
import logging
from collections import deque
from typing import Any

import structlog
from starlette.types import Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from db.settings import Settings
from feed.access.unauthenticated import Unauthenticated
from feed.connection_limits import MAX_HEAD, MAX_HEADERS, ConnectionLimits
from feed.telemetry.metrics import Metrics

_MAX_WAITING = 8
"""Requests that wait for the answer to another one on the same connection."""
_PARSED_AT_A_TIME = 1024
"""Bytes. Bounds how many more requests than that a single read can add."""

_log = structlog.get_logger("api")


class _ClientFaults(logging.Filter):
    """uvicorn warns only about what clients send."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        _log.debug("malformed request")
        return False


logging.getLogger("uvicorn.error").addFilter(_ClientFaults())


class _UnchunkedCycle(RequestResponseCycle):
    """A request with HTTP/1.0. uvicorn would chunk a response that has no length."""

    _unchunked = False

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._unchunked = all(name.lower() != b"content-length" for name, _ in message["headers"])
            if self._unchunked:
                self.chunked_encoding = False
        elif self._unchunked:
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)


class _Flow(FlowControl):
    """uvicorn resumes reading after every response, and whenever a handler waits for its client."""

    stopped = False
    """Whether reading must not be resumed."""

    def resume_reading(self) -> None:
        if not self.stopped:
            super().resume_reading()


class HttpConnection(HttpToolsProtocol):
    _limits: ConnectionLimits

    def __init__(
        self, *args: Any, settings: Settings, metrics: Metrics, unauthenticated: Unauthenticated, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._limited = (settings, metrics, unauthenticated)
        self._unfinished: deque[RequestResponseCycle] = deque()
        self._unparsed = b""
        """Bytes that came while enough requests were waiting."""
        self._head: int | None = None
        """Bytes of a request since its beginning or a part of its body: its headers, or trailers. None between requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._limits = ConnectionLimits(self, transport, *self._limited)
        self._limits.start()

    def data_received(self, data: bytes) -> None:
        if self._idle:
            self._limits.bytes_received()
        self._parse(self._unparsed + data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        self.scope["state"]["abort"] = self.abort

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head = 0

    def on_headers_complete(self) -> None:
        self._head = 0
        self._limits.authenticated()
        self._limits.request_arrived()
        super().on_headers_complete()
        while self._unfinished and self._unfinished[0].response_complete:
            self._unfinished.popleft()
        self._unfinished.append(self.cycle)
        if self.scope["http_version"] == "1.0" and not self.cycle.response_started:
            self.cycle.__class__ = _UnchunkedCycle

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._parse(self._unparsed)
        if self._idle and not self.transport.is_closing():
            self._limits.authentication_expired()
            if self.cycle.more_body:
                self._limits.request_expected()

    def on_message_complete(self) -> None:
        self._head = None
        super().on_message_complete()
        if self.cycle.response_complete:
            self._limits.stop_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._limits.writing_paused()

    def resume_writing(self) -> None:
        self._limits.writing_resumed()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limits.stop()
        self._unparsed = b""
        self._disconnect()
        super().connection_lost(exc)

    def evict(self) -> None:
        self._limits.evict()

    def end(self) -> None:
        """Close the connection once what was written has been sent."""
        self.transport.close()

    def abort(self) -> None:
        """Close the connection at once and discard everything the client has not read."""
        self._disconnect()
        self.transport.abort()

    @property
    def _idle(self) -> bool:
        """Whether no request is being handled."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is None or (cycle.response_complete and not self.pipeline)

    def _parse(self, data: bytes) -> None:
        """Parse bytes until enough requests are waiting. Keep the rest, and read nothing until they are fewer."""
        at = 0
        while at < len(data) and len(self.pipeline) < _MAX_WAITING and not self.transport.is_closing():
            part = data[at : at + _PARSED_AT_A_TIME]
            super().data_received(part)
            at += _PARSED_AT_A_TIME
            if self._head is not None:
                self._head += len(part)
                if self._head > MAX_HEAD or len(self.headers) > MAX_HEADERS:
                    self._limits.head_too_large()
                    break
        self._unparsed = data[at:]
        flow, stop = self.flow, bool(self._unparsed)
        if isinstance(flow, _Flow) and flow.stopped != stop and not self.transport.is_closing():
            flow.stopped = stop
            if stop:
                flow.pause_reading()
            else:
                flow.resume_reading()

    def _disconnect(self) -> None:
        for cycle in self._unfinished:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._unfinished.clear()

    def _unsupported_upgrade_warning(self) -> None:
        _log.debug("upgrade refused: the feed service has the WebSocket, not the API")


def abort_connection(scope: Scope) -> None:
    """Abort the connection of a request; do nothing if there is none, as in a test without a server."""
    abort = scope.get("state", {}).get("abort")
    if abort is not None:
        abort()
