"""An HTTP connection of the feed: aiohttp's, with bounds on what a client may cost before it has a stream.

Invariant: see feed.connection_limits. Until its client has authenticated for a stream, the connection counts as unauthenticated.
"""

import asyncio
from typing import Any

from aiohttp import web

from db.settings import Settings
from feed.access.unauthenticated import Unauthenticated
from feed.connection_limits import MAX_HEAD, ConnectionLimits
from feed.http.faults import logger
from feed.telemetry.metrics import Metrics

_MAX_HEADER = 64 * 1024
"""Bytes of the request line, or of one header: more than the longest token, so that a longer one gets an error that says so."""
_IDLE_TIMEOUT = 75.0
"""Seconds without a request. Longer than proxies keep idle connections, so that none writes into one that was just closed."""


class HttpConnection(web.RequestHandler):
    _limits: ConnectionLimits
    _connected: asyncio.Transport
    """The transport, which aiohttp forgets when it closes, although there may still be unread bytes."""

    def __init__(
        self, server: web.Server, settings: Settings, metrics: Metrics, unauthenticated: Unauthenticated
    ) -> None:
        self._limited = (settings, metrics, unauthenticated)
        self._handling = False
        self._arrived = 0
        """Bytes of the request that is arriving."""
        options: dict[str, Any] = {"access_log": None, "max_line_size": _MAX_HEADER, "max_field_size": _MAX_HEADER}
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=_IDLE_TIMEOUT,
            logger=logger,
            **options,
        )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._connected = transport
        self._limits = ConnectionLimits(self, transport, *self._limited)
        self._limits.start()

    def data_received(self, data: bytes) -> None:
        if data and not self._handling:
            self._limits.bytes_received()
            if self._arrived > MAX_HEAD:
                self._limits.head_too_large()
                return
            self._arrived += len(data)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._limits.stop()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._limits.writing_paused()

    def resume_writing(self) -> None:
        self._limits.writing_resumed()
        super().resume_writing()

    def request_begins(self) -> None:
        """Called when a request has arrived and is being handled."""
        self._handling = True
        self._arrived = 0
        self._limits.request_arrived()

    def request_ends(self) -> None:
        """Called when a response was made."""
        self._handling = False

    def authenticated(self) -> None:
        """Called when the sender of a request for a stream has authenticated."""
        self._limits.authenticated()

    def evict(self) -> None:
        self._limits.evict()

    def end(self) -> None:
        self.force_close()

    def abort(self) -> None:
        self._connected.abort()
