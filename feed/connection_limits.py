"""What an HTTP connection may cost, in either service: its deadlines, and its place among those that have not authenticated.

Invariant: a request arrives within `request_timeout` of its first byte, and the first one within that time of the connection. Until
then at most MAX_HEAD bytes are kept of it.
A client that has more unread bytes than the transport's limit for `drain_timeout` is dropped.
"""

import asyncio
from functools import partial
from typing import Protocol

from db.settings import Settings
from feed.access.unauthenticated import Unauthenticated
from feed.recovery.backpressure import DrainDeadline, drop_slow_client
from feed.telemetry.metrics import Metrics
from feed.wire.problems import HEADERS_TOO_LARGE_RESPONSE, OVERLOADED_RESPONSE, TIMEOUT_RESPONSE

MAX_HEAD = 128 * 1024
"""Bytes of a request before its body: twice the longest header."""
MAX_HEADERS = 128

_CLOSE_TIMEOUT = 2.0
"""Seconds for a client to read the last response."""


class LimitedConnection(Protocol):
    """The protocol of a transport."""

    def evict(self) -> None:
        """Answer OVERLOADED_RESPONSE, and end."""

    def end(self) -> None:
        """Close the connection once what was written has been sent."""

    def abort(self) -> None:
        """Close the connection at once."""


class _Lost:
    """Takes the place of a connection that is lost."""

    def evict(self) -> None:
        pass

    def end(self) -> None:
        pass

    def abort(self) -> None:
        pass


class ConnectionLimits:
    def __init__(
        self,
        connection: LimitedConnection,
        transport: asyncio.Transport,
        settings: Settings,
        metrics: Metrics,
        unauthenticated: Unauthenticated,
    ) -> None:
        self._connection: LimitedConnection = connection
        self._transport = transport
        self._request_timeout = settings.request_timeout
        self._metrics = metrics
        self._unauthenticated = unauthenticated
        self._address = unauthenticated.address_of(transport.get_extra_info("peername"))
        self._timer: asyncio.TimerHandle | None = None
        """Runs while a request is arriving, or the last response is sent."""
        self._drain_deadline: DrainDeadline | None = DrainDeadline(
            transport, settings, partial(drop_slow_client, connection, metrics)
        )
        self._received = False
        """Whether a part of a request has arrived."""

    def start(self) -> None:
        """Call when the connection was made."""
        if self._unauthenticated.make_room():
            self.authentication_expired()
            self.request_expected()
        else:
            self._connection.evict()

    def request_expected(self) -> None:
        """Give the client the time for a request, unless that time is running already."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._request_timeout, self._on_request_timeout)

    def bytes_received(self) -> None:
        """Call when a part of a request has arrived."""
        self._received = True
        self.request_expected()

    def request_arrived(self) -> None:
        """Call when a request can be handled."""
        self._received = False
        self.stop_timer()

    def head_too_large(self) -> None:
        """Call when a request line and its headers are larger than MAX_HEAD or have more than MAX_HEADERS."""
        self._metrics.limited.labels("headers").inc()
        self._end_with(HEADERS_TOO_LARGE_RESPONSE)

    def authenticated(self) -> None:
        """Call when the connection no longer counts as unauthenticated."""
        self._unauthenticated.discard(self._connection)

    def authentication_expired(self) -> None:
        """Call when the connection counts as unauthenticated, from its start or again."""
        self._unauthenticated.add(self._connection, self._address)

    def writing_paused(self) -> None:
        if self._drain_deadline is not None:
            self._drain_deadline.start()

    def writing_resumed(self) -> None:
        if self._drain_deadline is not None:
            self._drain_deadline.stop()

    def evict(self) -> None:
        self._end_with(OVERLOADED_RESPONSE)

    def stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stop(self) -> None:
        """Call when the connection is lost."""
        self.authenticated()
        self.stop_timer()
        self.writing_resumed()
        # Cycles: the garbage collector seldom runs.
        self._drain_deadline = None
        self._connection = _Lost()

    def _on_request_timeout(self) -> None:
        self._metrics.limited.labels("request_timeout").inc()
        # A client that sent nothing gets no answer either: a browser connects in advance, and would show it.
        self._end_with(TIMEOUT_RESPONSE if self._received else b"")

    def _end_with(self, response: bytes) -> None:
        self.stop_timer()
        if not self._transport.is_closing():
            self._transport.write(response)
            # For the case that the client does not read.
            self._timer = asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT, self._transport.abort)
        self._connection.end()
