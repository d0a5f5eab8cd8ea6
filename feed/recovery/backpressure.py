"""Backpressure: waits for clients to read what was written to them.

Invariant: a recovering client gets more data only after its unread bytes fall to `unread_limit`, half of its budget. A
client that does not get there in time is dropped. So is an HTTP client that does not read its response.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from db.settings import Settings
from feed.delivery.subscription import State, Subscription
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import TOO_SLOW

log = structlog.get_logger()


class Abortable(Protocol):
    def abort(self) -> None: ...


def unread_limit(settings: Settings) -> int:
    """Return the unread bytes above which a client must read before it is sent more."""
    return settings.client_budget // 2


def drop_slow_client(client: Abortable, metrics: Metrics, **fields: object) -> None:
    """Disconnect a client that does not read; `fields` are logged."""
    metrics.slow.labels("dropped").inc()
    metrics.closed.labels(TOO_SLOW.name).inc()
    log.info("slow client dropped", **fields)
    client.abort()


class DrainDeadline:
    """Calls `on_slow` if an HTTP client with too many unread bytes does not read enough of them in time.

    Enough is `unread_limit`, or what it takes for the transport to resume writing: a large response to a slow but steady client
    may take longer.
    """

    def __init__(self, transport: asyncio.WriteTransport, settings: Settings, on_slow: Callable[[], None]) -> None:
        self._transport = transport
        self._settings = settings
        self._on_slow = on_slow
        self._unread = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Call when writing is paused."""
        if self._timer is None:
            self._unread = self._transport.get_write_buffer_size()
            self._timer = asyncio.get_running_loop().call_later(self._settings.drain_timeout, self._check)

    def stop(self) -> None:
        """Call when writing resumes, or the connection is lost."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if self._unread - self._transport.get_write_buffer_size() < unread_limit(self._settings):
            self._on_slow()
        else:
            self.start()


class Backpressure:
    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._drain_timeout = settings.drain_timeout
        self._metrics = metrics

    async def drain_or_drop(self, subscription: Subscription) -> bool:
        """Wait for a client to read. Return False if it is gone, or did not read in time and was dropped."""
        if not await self.drained_within(subscription, self._drain_timeout) and subscription.state is State.BEHIND:
            self.drop(subscription)
            return False
        return subscription.state is State.BEHIND

    def drop(self, subscription: Subscription) -> None:
        """Disconnect a client that is too slow to recover here. It reconnects with its cursor."""
        drop_slow_client(subscription.sink, self._metrics, connection=subscription.id, cursor=str(subscription.cursor))

    async def drained_within(self, subscription: Subscription, seconds: float) -> bool:
        """Wait for a client to read. Return False if that takes longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await subscription.sink.drained()
        except TimeoutError:
            return False
        return True
