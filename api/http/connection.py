"""An HTTP connection: uvicorn's, with bounds on what a client may cost, and a way to abort an unfinished response.

Invariant: a request arrives within `request_timeout` of its first byte, and the first one within that time of the connection.
Few requests wait for the answer to another, and meanwhile nothing more is read. A client that does not read its answers for
`drain_timeout` is dropped. Except while a request is handled, the connection counts as unauthenticated.

When a connection is lost, every pipelined request on it is notified, not only the last one. A handler may abort its
connection: the client receives nothing more, and the incomplete response is not reported as an error. The end of the
connection ends a stream, without chunks, if the request has HTTP/1.0.
"""

import asyncio
import logging
from collections import deque
from functools import partial
from typing import Any

import structlog
from starlette.types import Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from db.settings import Settings
from feed.access.unauthenticated import Unauthenticated
from feed.recovery.backpressure import DrainDeadline, drop_slow_client
from feed.telemetry.metrics import Metrics
from feed.wire.problems import OVERLOADED_RESPONSE, TIMEOUT_RESPONSE

_MAX_WAITING = 8
"""Requests that wait for the answer to another one on the same connection."""
_PARSED_AT_A_TIME = 1024
"""Bytes. Bounds how many more requests than that a single read can add."""
_CLOSE_TIMEOUT = 2.0
"""Seconds for a client to read the last response."""

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
    def __init__(
        self, *args: Any, settings: Settings, metrics: Metrics, unauthenticated: Unauthenticated, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._settings = settings
        self._metrics = metrics
        self._unauthenticated = unauthenticated
        self._address: str | None = None
        self._unfinished: deque[RequestResponseCycle] = deque()
        self._unparsed = b""
        """Bytes that came while enough requests were waiting."""
        self._received = False
        """Whether a part of a request has arrived."""
        self._request_timer: asyncio.TimerHandle | None = None
        """Runs while a request is arriving."""
        self._drain_deadline: DrainDeadline | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport)
        drop = partial(drop_slow_client, self, self._metrics)
        self._drain_deadline = DrainDeadline(transport, self._settings, drop)
        self._address = self._unauthenticated.address_of(transport.get_extra_info("peername"))
        if self._unauthenticated.make_room():
            self._unauthenticated.add(self, self._address)
            self._await_request()
        else:
            self.evict()

    def data_received(self, data: bytes) -> None:
        if self._idle:
            self._received = True
            self._await_request()
        self._parse(self._unparsed + data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["abort"] = self.abort

    def on_headers_complete(self) -> None:
        self._unauthenticated.discard(self)
        self._received = False
        self._stop_request_timer()
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
            self._unauthenticated.add(self, self._address)
            if self.cycle.more_body:
                self._await_request()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle.response_complete:
            self._stop_request_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._drain_deadline is not None:
            self._drain_deadline.start()

    def resume_writing(self) -> None:
        if self._drain_deadline is not None:
            self._drain_deadline.stop()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unauthenticated.discard(self)
        self._stop_request_timer()
        if self._drain_deadline is not None:
            self._drain_deadline.stop()
            self._drain_deadline = None  # a cycle: the garbage collector seldom runs
        self._unparsed = b""
        self._disconnect()
        super().connection_lost(exc)

    def evict(self) -> None:
        self._end_with(OVERLOADED_RESPONSE)

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
            super().data_received(data[at : at + _PARSED_AT_A_TIME])
            at += _PARSED_AT_A_TIME
        self._unparsed = data[at:]
        flow, stop = self.flow, bool(self._unparsed)
        if isinstance(flow, _Flow) and flow.stopped != stop and not self.transport.is_closing():
            flow.stopped = stop
            if stop:
                flow.pause_reading()
            else:
                flow.resume_reading()

    def _await_request(self) -> None:
        if self._request_timer is None:
            self._request_timer = self.loop.call_later(self._settings.request_timeout, self._on_request_timeout)

    def _on_request_timeout(self) -> None:
        self._metrics.limited.labels("request_timeout").inc()
        # A client that sent nothing gets no answer either: a browser connects in advance, and would show it.
        self._end_with(TIMEOUT_RESPONSE if self._received else b"")

    def _end_with(self, response: bytes) -> None:
        self._stop_request_timer()
        if not self.transport.is_closing():
            self.transport.write(response)
            self.transport.close()
            # For the case that the client does not read.
            self._request_timer = self.loop.call_later(_CLOSE_TIMEOUT, self.transport.abort)

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

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
