"""Heartbeats: a timing wheel, with one timer for all clients instead of one for each.

Invariant: every stream carries something at least once per heartbeat period. It ends when its token expires, or when the
client should move to another transport. While the log is being read, a stream carries heartbeats, with a current cursor if
the client is live and holds no partial batch. Otherwise it carries keepalives, which keep the transport's connection open
and are not visible to the client.
"""

import asyncio
import math
import time

from db.settings import Settings
from feed.delivery.connections import Connections
from feed.delivery.rollout import Rollout
from feed.delivery.subscription import State, Subscription
from feed.system.tasks import BackgroundTask
from feed.tailing.freshness import Freshness
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import UNAUTHENTICATED
from feed.wire.encoding import Encoding

_MISSED_LIMIT = 2
"""Heartbeat periods without an answer after which a client that can answer is considered gone."""


class Heartbeats(BackgroundTask):
    task_name = "heartbeats"

    def __init__(
        self,
        settings: Settings,
        connections: Connections,
        tailer: Tailer,
        freshness: Freshness,
        rollout: Rollout,
        metrics: Metrics,
    ) -> None:
        self._period = settings.heartbeat_interval
        self._connections = connections
        self._tailer = tailer
        self._freshness = freshness
        self._rollout = rollout
        self._metrics = metrics
        self._slot = 0
        self._resumed_at = -math.inf
        """When this task last started, or continued after a stall. Until then no client was asked or heard, which is no silence."""

    async def _run(self) -> None:
        tick = min(1.0, self._period / 4)
        slots = max(1, round(self._period / tick))
        clock = asyncio.get_running_loop().time
        self._resumed_at = clock()
        while True:
            due = clock() + tick
            await asyncio.sleep(tick)
            lag = max(0.0, clock() - due)
            if lag > tick:
                self._resumed_at = clock()
            self._metrics.loop_lag_seconds.observe((lag,))
            self._freshness.report()
            # Kept in this object: if a slot fails, the others still have their turn.
            self._slot = (self._slot + 1) % slots
            self._process_slot(self._slot, slots)

    def _process_slot(self, slot: int, slots: int) -> None:
        now, clock = time.time(), asyncio.get_running_loop().time()
        timeout = _MISSED_LIMIT * self._period
        frames: dict[tuple[Encoding, bool], bytes] = {}
        is_fresh = self._freshness.is_fresh
        for subscription in self._connections:
            if subscription.principal.expires <= now:
                subscription.close_with_error(UNAUTHENTICATED, code="token_expired", text="the token has expired")
                self._metrics.closed.labels(UNAUTHENTICATED.name).inc()
            elif subscription.last_seen is not None and clock - max(subscription.last_seen, self._resumed_at) > timeout:
                subscription.sink.abort()
            elif subscription.leave_by is not None and subscription.leave_by <= clock:
                self._rollout.close(subscription)
            elif subscription.slot % slots == slot:
                if is_fresh:
                    self._send_heartbeat(subscription, frames)
                else:
                    subscription.write(subscription.encoding.keepalive)

    def _send_heartbeat(self, subscription: Subscription, frames: dict[tuple[Encoding, bool], bytes]) -> None:
        # A client that holds a part of a batch has received more than the cursor covers.
        with_cursor = subscription.state is State.LIVE and not subscription.mid_batch
        kind = subscription.encoding, with_cursor
        if kind not in frames:
            frames[kind] = subscription.encoding.heartbeat(str(self._tailer.head) if with_cursor else None)
        subscription.write(frames[kind])
