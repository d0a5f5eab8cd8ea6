"""An HTTP connection: uvicorn's, extended so that an unfinished response can be aborted.

Invariant: when a connection is lost, every pipelined request on it is notified, not only the last one. A handler may
abort its connection: the client receives nothing more, and the incomplete response is not reported as an error. The end of
the connection ends a stream, without chunks, if the request has HTTP/1.0.
"""

import logging
from collections import deque
from typing import Any

import structlog
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

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


class HttpConnection(HttpToolsProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unfinished: deque[RequestResponseCycle] = deque()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["abort"] = self.abort

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        while self._unfinished and self._unfinished[0].response_complete:
            self._unfinished.popleft()
        self._unfinished.append(self.cycle)
        if self.scope["http_version"] == "1.0" and not self.cycle.response_started:
            self.cycle.__class__ = _UnchunkedCycle

    def connection_lost(self, exc: Exception | None) -> None:
        self._disconnect()
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close the connection at once and discard everything the client has not read."""
        self._disconnect()
        self.transport.abort()

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
