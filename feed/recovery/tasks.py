"""Recovery tasks: start and cancel the task that brings a client from its cursor to live.

Invariant: a client has at most one task, which ends when the client is live or gone; feed/recovery/recovery.py does its work.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import structlog

from db.settings import Settings
from feed.delivery.connections import Connections
from feed.delivery.rollout import Rollout
from feed.delivery.subscription import ReportedCursor, Subscription
from feed.presence.tracker import PresenceTracker
from feed.recovery.recovery import Recovery
from feed.recovery.shared_reads import SharedReads
from feed.system.database import Pool
from feed.system.tasks import end
from feed.tailing.replica import Replica
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import Fault

_MUCH = 300
"""Changes from which on one query for the newest states is better than sending each change."""

log = structlog.get_logger()


class RecoveryTasks:
    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        tailer: Tailer,
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
        self._shared_reads = SharedReads(settings, pool, tailer, metrics, replica)
        self._recovery = Recovery(settings, tailer, connections, self._shared_reads, presence, metrics)
        self._tasks: dict[Subscription, asyncio.Task[None]] = {}
        self._awaiting_auth_success: dict[Subscription, asyncio.Future[None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def start(self, subscription: Subscription, requested: str | None, *, collapse: bool) -> None:
        """Start the stream of a new client, at the cursor that it requested or live.

        `collapse`: if it has missed much, it wants only the newest state of each row.
        """
        self._awaiting_auth_success[subscription] = asyncio.get_running_loop().create_future()
        if collapse:
            subscription.collapse_from = _MUCH
        self._spawn(subscription, self._start(subscription, requested))

    async def auth_success_sent(self, subscription: Subscription) -> None:
        """Wait until a new client was sent auth_success, or never will be."""
        if (sent := self._awaiting_auth_success.get(subscription)) is not None:
            await asyncio.wait({sent})

    def recover(self, subscription: Subscription) -> None:
        """Recover a client that was too slow, once it has read its backlog."""
        subscription.collapse_from = 0
        self._metrics.slow.labels("behind").inc()
        self._spawn(subscription, self._recovery.run(subscription, "collapsed"))

    def reset(self, subscription: Subscription, fault: Fault) -> None:
        """Restart a client at the head because the log was replaced."""
        if subscription in self._awaiting_auth_success:
            return  # not sent anything yet, and its cursor is being validated
        self.cancel(subscription)
        self._connections.fall_behind(subscription, self._tailer.head)
        self._recovery.reset(subscription, fault)
        self._spawn(subscription, self._recovery.run(subscription, "reset"))

    def cancel(self, subscription: Subscription) -> None:
        """Cancel a client's task."""
        if (task := self._tasks.pop(subscription, None)) is not None:
            task.cancel()
        self._auth_success_done(subscription)

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        await end(*self._running)
        await self._shared_reads.stop()

    def clear(self) -> None:
        """Discard all reads because the log was replaced."""
        self._shared_reads.clear()

    async def _start(self, subscription: Subscription, requested: str | None) -> None:
        resume, fault = "live", None
        if requested is not None:
            fault = await self._recovery.validate_cursor(subscription, requested)
            resume = "resumed" if fault is None else "reset"
        if resume == "resumed":
            subscription.reported = ReportedCursor(subscription.cursor, str(subscription.cursor), time.monotonic())
        else:
            subscription.cursor = self._tailer.head
        self._recovery.refresh_visible(subscription)
        cursor = str(subscription.cursor)
        # If the cursor was refused, `reset` carries the new one: a client cut off before it must not store it.
        self._rollout.send_auth_success(subscription, resume, cursor if fault is None else None)
        log.debug("auth_success sent", connection=subscription.id, resume=resume, cursor=cursor)
        subscription.send_unknown_boards((subscription.requested or frozenset()) - subscription.permitted_boards)
        if fault is not None:
            self._recovery.reset(subscription, fault)
        self._auth_success_done(subscription)
        await self._recovery.run(subscription, "buffer" if resume == "resumed" else resume)

    def _auth_success_done(self, subscription: Subscription) -> None:
        if (sent := self._awaiting_auth_success.pop(subscription, None)) is not None:
            sent.set_result(None)

    def _spawn(self, subscription: Subscription, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"recovery {subscription.id}")
        self._tasks[subscription] = task
        self._running.add(task)
        task.add_done_callback(lambda done: self._finished(subscription, done))

    def _finished(self, subscription: Subscription, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._tasks.get(subscription) is task:
            del self._tasks[subscription]
        if not self._tasks:
            self._tailer.publisher.replay_buffer.drop_encoded()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug of ours in one client's stream. The client reconnects with its cursor; others are not affected.
            self._metrics.task_failures.labels("recovery").inc()
            log.error("recovery failed", connection=subscription.id, exc_info=error)
            subscription.sink.abort()
