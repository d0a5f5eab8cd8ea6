"""Backpressure: waits for clients to read what was written to them.

Invariant: a recovering client gets more data only after its unread bytes fall to `unread_limit`, half of its budget. A
client that does not get there in time is dropped.
"""

import asyncio

import structlog

from db.settings import Settings
from feed.delivery.subscription import Sink, State, Subscription
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import TOO_SLOW

log = structlog.get_logger()


def unread_limit(settings: Settings) -> int:
    """Return the unread bytes above which a client must read before it is sent more."""
    return settings.client_budget // 2


def drop_slow_client(sink: Sink, metrics: Metrics, **fields: object) -> None:
    """Disconnect a client that does not read; `fields` are logged."""
    metrics.slow.labels("dropped").inc()
    metrics.closed.labels(TOO_SLOW.name).inc()
    log.info("slow client dropped", **fields)
    sink.abort()


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
