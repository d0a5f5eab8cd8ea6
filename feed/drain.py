"""The drain: waiting for a client to read what it was written.

Invariant: whoever is caught up is written more only when he has read half of what may lie unread; who does not in time is dropped.
"""

import asyncio

import structlog

from db.settings import Settings
from feed.goodbye import TOO_SLOW
from feed.metrics import Metrics
from feed.subscription import State, Subscription

_LOOK = 0.001, 0.05
"""Seconds between looks at a socket that drains: at first, and at last."""

log = structlog.get_logger()


class Drain:
    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._enough = settings.client_budget // 2
        self._patience = settings.drain_timeout
        self._metrics = metrics

    async def drained(self, subscription: Subscription) -> bool:
        """Wait until a client has read most of what it was written; False where it does not, and is dropped, or is gone."""
        if not await self.drains(subscription, self._patience):
            self.drop(subscription)
            return False
        return subscription.state is State.BEHIND

    def drop(self, subscription: Subscription) -> None:
        """Disconnect a client that is too slow to be caught up here; it comes back with its cursor."""
        self._metrics.slow.labels("dropped").inc()
        self._metrics.closed.labels(TOO_SLOW.name).inc()
        log.info("slow client disconnected", connection=subscription.id, cursor=str(subscription.cursor))
        subscription.sink.abort()

    async def drains(self, subscription: Subscription, seconds: float) -> bool:
        """The same for so long; False where it takes longer."""
        look, most = _LOOK
        try:
            async with asyncio.timeout(seconds):
                while subscription.sink.pending() > self._enough:
                    await asyncio.sleep(look)  # transports have no public event for it
                    look = min(2 * look, most)
        except TimeoutError:
            return False
        return True
