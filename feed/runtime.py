"""The composition root: creates, starts and stops everything in a process that serves streams. Both services have one.

Invariant: start() returns once the log is followed and the listener has received its own NOTIFY; otherwise it raises and leaves
nothing running. stop() is idempotent, safe without start(), and complete when it returns.
"""

import asyncio
import secrets
import time
from contextlib import AsyncExitStack

import structlog

from db.instances import InstanceStatus
from db.notifications import notify
from db.settings import Settings
from db.tickets import redeem
from feed.access.admission import Admission, random_retry
from feed.access.tokens import Tokens
from feed.delivery.connections import Connections
from feed.delivery.publisher import Publisher
from feed.delivery.replay_buffer import ReplayBuffer
from feed.delivery.rollout import Rollout
from feed.delivery.subscription import Sink, State, Subscription
from feed.integrity.checkpoints import Checkpoints
from feed.integrity.gap_reports import GapReports
from feed.notify import pacer
from feed.notify.pacer import Pacer
from feed.presence import tracker
from feed.presence.tracker import PresenceTracker
from feed.recovery.tasks import RecoveryTasks
from feed.registry.client_positions import ClientPositions
from feed.registry.delivery_journal import DeliveryJournal
from feed.registry.instance_registry import InstanceRegistry
from feed.system.database import pool
from feed.system.supervisor import Supervisor
from feed.tailing import tailer
from feed.tailing.freshness import Freshness
from feed.tailing.listener import Listener
from feed.tailing.replica import Replica
from feed.tailing.tailer import Tailer
from feed.telemetry import tracing
from feed.telemetry.metrics import Metrics
from feed.telemetry.runtime_gauges import GaugeSources
from feed.upkeep.heartbeats import Heartbeats
from feed.upkeep.maintenance import Maintenance
from feed.upkeep.stage_reader import StageReader
from feed.wire.close_codes import RESTART
from feed.wire.cursor import Fault
from feed.wire.encoding import Encoding
from feed.wire.principal import Principal

_REPLAY_BUDGET = 8 * 1024 * 1024
_POOL_SIZE = 6
_REDEEM_TIMEOUT = 10.0

log = structlog.get_logger()


class Runtime:
    def __init__(self, settings: Settings, tokens: Tokens, name: str = "feed") -> None:
        self.settings = settings
        self.tokens = tokens
        self.metrics = Metrics(name)
        self.service = name
        self.supervisor = Supervisor(self.metrics.task_failures)
        self.instance = f"{name}-{secrets.token_hex(3)}"
        self.pool = pool(settings.database, f"boardcast-{name}", _POOL_SIZE)
        self.connections = Connections(self.metrics, self._on_fell_behind)
        self.replica: Replica | None = None
        if settings.replica_url is not None:
            self.replica = Replica(
                settings.replica_url, settings.max_replica_lag, self.pool, lambda: self.tailer.head.feed, self.metrics
            )
        self.publisher = Publisher(ReplayBuffer(_REPLAY_BUDGET), self.connections, self.metrics)
        self.tailer = Tailer(settings, self.publisher, self.metrics, self._on_log_replaced, self.replica)
        self.presence = PresenceTracker(self.instance, self.pool, self.connections)
        self.rollout = Rollout(self.publisher, self.connections, self.metrics)
        self.admission = Admission(settings, self.connections, self.rollout, self.metrics)
        self.recovery_tasks = RecoveryTasks(
            settings,
            self.pool,
            self.tailer,
            self.connections,
            self.presence,
            self.rollout,
            self.metrics,
            self.replica,
        )
        self.pacer = Pacer(settings, self.instance, self.tailer, self.metrics)
        handlers = {
            tailer.CHANNEL: self.pacer.on_notify,
            pacer.CHANNEL: self.pacer.on_lease_released,
            tracker.CHANNEL: self.presence.wake,
        }
        self.listener = Listener(settings, handlers, self.tailer.prefetch, self._notify, self.metrics)
        self.freshness = Freshness(settings, self.tailer)
        self._heartbeats = Heartbeats(
            settings, self.connections, self.tailer, self.freshness, self.rollout, self.metrics
        )
        self._maintenance = Maintenance(self.pool, self.metrics.runtime_gauges)
        self._stage_reader = StageReader(self.pool, self.tailer, self.metrics)
        self.client_positions = ClientPositions(self.tailer, self.connections)
        self._journal = DeliveryJournal(self.tailer, self.connections)
        self.publisher.subscribe(self._journal)
        self.gap_reports = GapReports(self.pool, self.instance, self.metrics)
        self.checkpoints = Checkpoints(
            settings.checkpoint_interval, self.pool, self.tailer, self.connections, self.gap_reports, self.metrics
        )
        if (spans := tracing.delivery_spans(self.instance)) is not None:
            self.publisher.subscribe(spans)
        self._instance_registry = InstanceRegistry(self.pool, self._status, self._journal)
        self.metrics.runtime_gauges.set_sources(
            GaugeSources(
                connections=lambda: len(self.connections),
                draining=lambda: self.admission.draining,
                listener_age=lambda: self.listener.age,
                log_idle=lambda: self.tailer.passes.since_read,
                leases=self.presence.count,
                pool=self.pool,
            )
        )
        self._started = 0.0
        self._running = AsyncExitStack()

    async def start(self) -> None:
        """Start everything. Raises psycopg.OperationalError or NotReadyError if the database cannot be used."""
        # Tasks that start here inherit the context, so each of their log lines names the instance.
        with structlog.contextvars.bound_contextvars(instance=self.instance):
            await self._start()
            log.info("following the log", cursor=str(self.tailer.head))

    async def _start(self) -> None:
        async with AsyncExitStack() as started:
            started.push_async_callback(self.pool.close)
            await self.tailer.start(self.supervisor)
            self.freshness.start()
            started.push_async_callback(self.tailer.stop)
            await self.pool.open(wait=True, timeout=10)
            started.push_async_callback(self.recovery_tasks.stop)
            if self.replica is not None:
                started.push_async_callback(self.replica.stop)
                await self.replica.start(self.supervisor)
            await self.listener.start(self.supervisor)
            started.push_async_callback(self.listener.stop)
            self._started = time.monotonic()
            for part in (
                self.pacer,
                self.presence,
                self.checkpoints,
                self._maintenance,
                self._stage_reader,
                self._heartbeats,
                self._instance_registry,
            ):
                part.start(self.supervisor)
                started.push_async_callback(part.stop)
            self._running = started.pop_all()

    async def stop(self) -> None:
        """Ask every client to reconnect elsewhere, then stop everything."""
        self.drain()
        await self._running.aclose()

    @property
    def ready(self) -> bool:
        """Whether new clients should be sent to this instance."""
        return self.reads_log and self.listener.up and not self.admission.draining and not self.supervisor.down

    @property
    def reads_log(self) -> bool:
        """Whether the log is being read, and was read within the last seconds."""
        return self.tailer.up and self.freshness.is_fresh

    def open_stream(
        self,
        principal: Principal,
        encoding: Encoding,
        sink: Sink,
        boards: frozenset[str] | None,
        cursor: str | None,
        *,
        collapse: bool,
    ) -> Subscription:
        """Start a stream for an admitted client. Its first message is auth_success. End it with close_stream().

        `collapse`: if the client has missed much, it wants only the newest state of each row.
        """
        subscription = Subscription(
            principal, encoding, sink, boards, self.tailer.head, budget=self.settings.client_budget
        )
        self.connections.add(subscription)
        self.recovery_tasks.start(subscription, cursor, collapse=collapse)
        log.debug("stream opened", connection=subscription.id, user=principal.user_id, transport=encoding.name)
        return subscription

    def close_stream(self, subscription: Subscription) -> None:
        """Remove a client that is gone. Idempotent."""
        if subscription.state is not State.CLOSED:
            log.debug("stream closed", connection=subscription.id)
        self.recovery_tasks.cancel(subscription)
        self.presence.leave(subscription)
        self.connections.remove(subscription)

    def send_auth_success(self, subscription: Subscription) -> None:
        """Answer a token that was renewed on the stream. The answer has no cursor if the client holds a partial batch."""
        cursor = self.tailer.head if subscription.state is State.LIVE else subscription.cursor
        self.rollout.send_auth_success(subscription, "live", None if subscription.mid_batch else str(cursor))

    def set_boards(self, subscription: Subscription, requested: frozenset[str] | None) -> None:
        """Change the boards whose events a client receives; None: all boards that its user sees."""
        visible = self.publisher.memberships.boards(subscription.principal.user_id)
        self.connections.set_boards(subscription, requested, visible)

    def send_subscribed(self, subscription: Subscription) -> None:
        """Send `subscribed` once the client is live and no batch is being published, so that it can include a cursor."""
        subscription.subscribed_pending = True
        self.connections.send_subscribed(subscription, self.publisher.idle_head)

    async def redeem_ticket(self, ticket: str) -> Principal | None:
        """The ticket's owner; None if it is unknown, used or expired. Raises psycopg.Error, PoolTimeout, TimeoutError."""
        async with asyncio.timeout(_REDEEM_TIMEOUT), self.pool.connection() as conn:
            found = await redeem(conn, ticket)
        return None if found is None else Principal(found.user_id, found.name, found.expires, found.roles)

    def drain(self) -> None:
        """Admit no new clients, and ask the connected ones to reconnect, spread over some seconds."""
        if self.admission.draining:
            return
        self.admission.draining = True
        for subscription in self.connections:
            subscription.close(RESTART, retry=random_retry())
            self.metrics.closed.labels(RESTART.name).inc()

    def _on_fell_behind(self, subscription: Subscription) -> None:
        self.recovery_tasks.recover(subscription)

    def _status(self) -> InstanceStatus:
        return InstanceStatus(
            instance=self.instance,
            service=self.service,
            running=time.monotonic() - self._started,
            since_read=self.tailer.passes.since_read if self.tailer.passes.done else None,
            reads=self.tailer.passes.done,
            cursor=str(self.tailer.head),
            anchor=self.tailer.head.anchor,
            connections=len(self.connections),
            listens=self.listener.up,
            ready=self.ready,
            tailer_pid=self.tailer.backend_pid,
            listener_pid=self.listener.backend_pid,
            client_positions=self.client_positions.summary(),
            replica=self.replica.status if self.replica is not None else None,
        )

    def _on_log_replaced(self, fault: Fault) -> None:
        self.recovery_tasks.clear()
        for subscription in self.connections:
            self.recovery_tasks.reset(subscription, fault)

    async def _notify(self, channel: str) -> None:
        async with self.pool.connection() as conn:
            await notify(conn, channel)
