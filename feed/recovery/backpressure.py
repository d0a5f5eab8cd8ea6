"""Backpressure: waiting for a client to read what it was written.

Invariant: a recovering client gets more data only after its unread bytes fall to `mark`, half of its budget. A client that does not
get there in time is dropped.
"""

import asyncio

import structlog

from db.settings import Settings
from feed.delivery.subscription import Sink, State, Subscription
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import TOO_SLOW

log = structlog.get_logger()


def mark(settings: Settings) -> int:
    """Unread bytes from which on a client has to read before anything more is done for it."""
    return settings.client_budget // 2


def drop(sink: Sink, metrics: Metrics, **fields: object) -> None:
    """Disconnect a client that does not read; `fields` are logged."""
    metrics.slow.labels("dropped").inc()
    metrics.closed.labels(TOO_SLOW.name).inc()
    log.info("a client does not read and is dropped", **fields)
    sink.abort()


class Backpressure:
    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._patience = settings.drain_timeout
        self._metrics = metrics

    async def drained(self, subscription: Subscription) -> bool:
        """Wait until a client has read most of what it was written; False where it does not, and is dropped, or is gone."""
        if not await self.drains(subscription, self._patience) and subscription.state is State.BEHIND:
            self.drop(subscription)
            return False
        return subscription.state is State.BEHIND

    def drop(self, subscription: Subscription) -> None:
        """Disconnect a client that is too slow to be caught up here; it comes back with its cursor."""
        drop(subscription.sink, self._metrics, connection=subscription.id, cursor=str(subscription.cursor))

    async def drains(self, subscription: Subscription, seconds: float) -> bool:
        """The same for so long; False where it takes longer."""
        try:
            async with asyncio.timeout(seconds):
                await subscription.sink.drained()
        except TimeoutError:
            return False
        return True
