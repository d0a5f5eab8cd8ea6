"""Heartbeats: a timing wheel, with one timer for all clients instead of timers for each.

Invariant: every stream carries something at least once in a heartbeat's period, and ends when its token does, or when it was to be
left for another way. That something is a heartbeat (with a fresh cursor, if the stream is live and owed nothing) only while the log
is being read; else it proves the line to the other end's transport, and tells its client nothing.
"""

import asyncio
import math
import time

import structlog

from db.settings import Settings
from feed.delivery.connections import Connections
from feed.delivery.rollout import Rollout
from feed.delivery.subscription import State, Subscription
from feed.system.tasks import end
from feed.tailing.freshness import Freshness
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import UNAUTHENTICATED
from feed.wire.encoding import Encoding

_SILENCES = 2
"""Heartbeats without an answer after which a client that can answer is taken for dead."""

log = structlog.get_logger()


class Heartbeats:
    def __init__(
        self,
        settings: Settings,
        connections: Connections,
        tailer: Tailer,
        freshness: Freshness,
        rollout: Rollout,
        metrics: Metrics,
    ) -> None:
        self._period = settings.heartbeat
        self._connections = connections
        self._tailer = tailer
        self._freshness = freshness
        self._rollout = rollout
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._awake = -math.inf
        """Since when this process has been listening: who was not heard while it stood still was not silent."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="heartbeats")

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        tick = min(1.0, self._period / 4)
        slots = max(1, round(self._period / tick))
        slot, clock = 0, asyncio.get_running_loop().time
        while True:
            asked = clock() + tick
            await asyncio.sleep(tick)
            lag = max(0.0, clock() - asked)
            if lag > tick:
                self._awake = clock()
            self._metrics.loop_lag_seconds.observe((lag,))
            self._metrics.recent.look()
            self._freshness.report()
            slot = (slot + 1) % slots
            try:
                self._serve(slot, slots)
            except Exception:
                log.exception("a turn of the wheel failed")

    def _serve(self, slot: int, slots: int) -> None:
        now, clock = time.time(), asyncio.get_running_loop().time()
        silent = _SILENCES * self._period
        beats: dict[tuple[Encoding, bool], bytes] = {}
        fresh = self._freshness.fresh
        for subscription in self._connections:
            if subscription.principal.expires <= now:
                subscription.end(UNAUTHENTICATED, code="token_expired", text="the token has expired")
                self._metrics.closed.labels(UNAUTHENTICATED.name).inc()
            elif subscription.heard is not None and clock - max(subscription.heard, self._awake) > silent:
                subscription.sink.abort()
            elif subscription.leaves is not None and subscription.leaves <= clock:
                self._rollout.dismiss(subscription)
            elif subscription.slot % slots == slot:
                if fresh:
                    self._beat(subscription, beats)
                else:
                    subscription.write(subscription.encoding.keepalive)

    def _beat(self, subscription: Subscription, beats: dict[tuple[Encoding, bool], bytes]) -> None:
        # One that holds a part of a batch has been sent more than the cursor says.
        placed = subscription.state is State.LIVE and not subscription.owed
        kind = subscription.encoding, placed
        if kind not in beats:
            beats[kind] = subscription.encoding.heartbeat(str(self._tailer.cursor) if placed else None)
        subscription.write(beats[kind])
