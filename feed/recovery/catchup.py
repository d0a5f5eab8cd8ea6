"""Catch-ups: the tasks that bring clients from where they stand to where the hub stands.

Invariant: a client has one task at most, which ends when it is live or gone; see feed/recovery/recovery.py for what it does.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import structlog

from db.settings import Settings
from feed.delivery.connections import Connections
from feed.delivery.replay_buffer import ReplayBuffer
from feed.delivery.rollout import Rollout
from feed.delivery.subscription import Shown, Subscription
from feed.presence.tracker import PresenceTracker
from feed.recovery.recovery import Recovery
from feed.recovery.shared_reads import SharedReads
from feed.system.database import Pool
from feed.system.tasks import end
from feed.tailing.replica import Replica
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import Fault

log = structlog.get_logger()


class CatchUps:
    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        tailer: Tailer,
        buffer: ReplayBuffer,
        connections: Connections,
        presence: PresenceTracker,
        rollout: Rollout,
        metrics: Metrics,
        replica: Replica | None = None,
    ) -> None:
        self._tailer = tailer
        self._connections = connections
        self._rollout = rollout
        self._metrics = metrics
        self._shared_reads = SharedReads(settings, pool, tailer, buffer, metrics, replica)
        self._recovery = Recovery(settings, tailer, buffer, connections, self._shared_reads, presence, metrics)
        self._tasks: dict[Subscription, asyncio.Task[None]] = {}
        self._greeting: dict[Subscription, asyncio.Future[None]] = {}
        self._working: set[asyncio.Task[None]] = set()

    def open(self, subscription: Subscription, asked: str | None) -> None:
        """Begin a new client's stream, at the cursor that it asked for or live."""
        self._greeting[subscription] = asyncio.get_running_loop().create_future()
        self._spawn(subscription, self._open(subscription, asked))

    async def greeted(self, subscription: Subscription) -> None:
        """Wait until a new client has been told what it sees, or never will be."""
        if (greeting := self._greeting.get(subscription)) is not None:
            await asyncio.wait({greeting})

    def recover(self, subscription: Subscription) -> None:
        """Bring back a client that was too slow, once it has read what it was written."""
        subscription.collapse = True
        self._metrics.slow.labels("behind").inc()
        self._spawn(subscription, self._recovery.run(subscription, "collapsed"))

    def restart(self, subscription: Subscription, fault: Fault) -> None:
        """The log was replaced: a client begins anew where the hub stands."""
        if subscription in self._greeting:
            return  # it has been told nothing yet, and its cursor is being proven anyway
        self.cancel(subscription)
        self._connections.fall_behind(subscription, self._tailer.cursor)
        self._recovery.reset(subscription, fault)
        self._spawn(subscription, self._recovery.run(subscription, "reset"))

    def cancel(self, subscription: Subscription) -> None:
        """Stop working for a client."""
        if (task := self._tasks.pop(subscription, None)) is not None:
            task.cancel()
        self._greet(subscription)

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        await end(*self._working)
        await self._shared_reads.stop()

    def forget(self) -> None:
        """The log was replaced: nothing that was read of it holds."""
        self._shared_reads.clear()

    async def _open(self, subscription: Subscription, asked: str | None) -> None:
        resume, fault = "live", None
        if asked is not None:
            fault = await self._recovery.prove(subscription, asked)
            resume = "resumed" if fault is None else "reset"
        if resume == "resumed":
            subscription.shown = Shown(subscription.cursor, str(subscription.cursor), time.monotonic())
        else:
            subscription.cursor = self._tailer.cursor
        self._recovery.see(subscription)
        cursor = str(subscription.cursor)
        # Instead of a cursor that was refused `reset` brings the new one: a client that is cut before that must not have it.
        self._rollout.greet(subscription, resume, cursor if fault is None else None)
        log.debug("stream begins", connection=subscription.id, resume=resume, cursor=cursor)
        for board in sorted((subscription.wanted or frozenset()) - subscription.offered):
            subscription.tell("error", code="unknown_board", message=f"there is no board {board!r} that you can see")
        if fault is not None:
            self._recovery.reset(subscription, fault)
        self._greet(subscription)
        await self._recovery.run(subscription, "ring" if resume == "resumed" else resume)

    def _greet(self, subscription: Subscription) -> None:
        if (greeting := self._greeting.pop(subscription, None)) is not None:
            greeting.set_result(None)

    def _spawn(self, subscription: Subscription, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"catch-up {subscription.id}")
        self._tasks[subscription] = task
        self._working.add(task)
        task.add_done_callback(lambda done: self._finished(subscription, done))

    def _finished(self, subscription: Subscription, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if self._tasks.get(subscription) is task:
            del self._tasks[subscription]
        if not self._tasks:
            self._recovery.forget()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A mistake of ours in one client's stream: it comes back with its cursor, and nobody else is touched.
            log.error("catching up failed", connection=subscription.id, exc_info=error)
            subscription.sink.abort()
