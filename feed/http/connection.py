"""An HTTP connection of the feed: aiohttp's, with bounds on what a client may cost before it has a stream.

Invariant: a request arrives within `request_timeout` of its first byte, and the first one within that time of the connection.
A client that has more unread bytes than the transport's limit for `drain_timeout` is dropped. Until its client has
authenticated for a stream, the connection counts as unauthenticated.
"""

import asyncio
from functools import partial
from typing import Any

from aiohttp import web

from db.settings import Settings
from feed.access.unauthenticated import Unauthenticated
from feed.http.faults import logger
from feed.recovery.backpressure import DrainDeadline, drop_slow_client
from feed.telemetry.metrics import Metrics
from feed.wire.problems import OVERLOADED_RESPONSE, TIMEOUT_RESPONSE

_MAX_HEADER = 64 * 1024
"""Bytes of the request line, or of one header: more than the longest token, so that a longer one gets an error that says so."""
_IDLE_TIMEOUT = 75.0
"""Seconds without a request. Longer than proxies keep idle connections, so that none writes into one that was just closed."""

_CLOSE_TIMEOUT = 2.0
"""Seconds for a client to read the last response."""


class HttpConnection(web.RequestHandler):
    def __init__(
        self, server: web.Server, settings: Settings, metrics: Metrics, unauthenticated: Unauthenticated
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._unauthenticated = unauthenticated
        self._request_timer: asyncio.TimerHandle | None = None
        """Runs while a request is arriving."""
        self._drain_deadline: DrainDeadline | None = None
        self._handling = False
        self._received = False
        """Whether a part of a request has arrived."""
        options: dict[str, Any] = {"access_log": None, "max_line_size": _MAX_HEADER, "max_field_size": _MAX_HEADER}
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=_IDLE_TIMEOUT,
            logger=logger,
            **options,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.transport is not None:
            # aiohttp forgets the transport when it closes, but there may still be unread bytes.
            drop = partial(drop_slow_client, self.transport, self._metrics)
            self._drain_deadline = DrainDeadline(self.transport, self._settings, drop)
        if self._unauthenticated.make_room():
            self._unauthenticated.add(self, self._unauthenticated.address_of(transport.get_extra_info("peername")))
            self._await_request()
        else:
            self._end_with(OVERLOADED_RESPONSE)

    def data_received(self, data: bytes) -> None:
        if data and not self._handling:
            self._received = True
            self._await_request()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._unauthenticated.discard(self)
        self._stop_request_timer()
        if self._drain_deadline is not None:
            self._drain_deadline.stop()
            self._drain_deadline = None  # a cycle: the garbage collector seldom runs
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._drain_deadline is not None:
            self._drain_deadline.start()

    def resume_writing(self) -> None:
        if self._drain_deadline is not None:
            self._drain_deadline.stop()
        super().resume_writing()

    def request_begins(self) -> None:
        """Called when a request has arrived and is being handled."""
        self._handling = True
        self._received = False
        self._stop_request_timer()

    def request_ends(self) -> None:
        """Called when a response was made."""
        self._handling = False

    def authenticated(self) -> None:
        """Called when the sender of a request for a stream has authenticated."""
        self._unauthenticated.discard(self)

    def evict(self) -> None:
        self._end_with(OVERLOADED_RESPONSE)

    def _await_request(self) -> None:
        if self._request_timer is None:
            self._request_timer = self._loop.call_later(self._settings.request_timeout, self._on_request_timeout)

    def _on_request_timeout(self) -> None:
        self._metrics.limited.labels("request_timeout").inc()
        # A client that sent nothing gets no answer either: a browser connects in advance, and would show it.
        self._end_with(TIMEOUT_RESPONSE if self._received else b"")

    def _end_with(self, response: bytes) -> None:
        self._stop_request_timer()
        if self.transport is not None:
            self.transport.write(response)
            # For the case that the client does not read.
            self._request_timer = self._loop.call_later(_CLOSE_TIMEOUT, self.transport.abort)
        self.force_close()

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None
