"""The composition root of a feed: everything of one process that serves streams, wired and started in order.

Invariant: start() returns only when the log is followed and the listener has heard itself, or raises and leaves nothing
running; stop() is idempotent, safe without start(), and complete when it returns. Both services have one of these.
"""

import asyncio
import math
import secrets
import time
from contextlib import AsyncExitStack

import structlog

from db.instances import Word
from db.settings import Settings
from db.tickets import redeem
from feed.access.admission import Admission, some_time
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
from feed.recovery.catchup import CatchUps
from feed.registry.client_positions import ClientPositions
from feed.registry.delivery_journal import DeliveryJournal
from feed.registry.instance_registry import InstanceRegistry
from feed.system.database import pool
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
from feed.wire.close_codes import RESTART
from feed.wire.cursor import Fault
from feed.wire.encoding import Encoding
from feed.wire.principal import Principal

_REPLAY_BUDGET = 8 * 1024 * 1024
_POOL = 6
_TO_REDEEM = 10.0

log = structlog.get_logger()


class Runtime:
    def __init__(self, settings: Settings, tokens: Tokens, name: str = "feed") -> None:
        self.settings = settings
        self.tokens = tokens
        self.metrics = Metrics(name)
        self.service = name
        self.instance = f"{name}-{secrets.token_hex(3)}"
        self.pool = pool(settings.database, f"boardcast-{name}", _POOL)
        replay_buffer = ReplayBuffer(_REPLAY_BUDGET)
        self.connections = Connections(self.metrics, self._fell_behind)
        self.replica: Replica | None = None
        if settings.replica_url is not None:
            self.replica = Replica(settings.replica_url, settings.replica_lag, self.pool, self._feed, self.metrics)
        self.publisher = Publisher(replay_buffer, self.connections, self.metrics)
        self.tailer = Tailer(settings, self.publisher, self.metrics, self._replaced, self.replica)
        self.presence = PresenceTracker(self.instance, self.pool, self.connections)
        self.rollout = Rollout(self.publisher, self.connections, self.metrics)
        self.admission = Admission(settings, self.connections, self.rollout)
        self.catchups = CatchUps(
            settings,
            self.pool,
            self.tailer,
            replay_buffer,
            self.connections,
            self.presence,
            self.rollout,
            self.metrics,
            self.replica,
        )
        self.pacer = Pacer(settings, self.instance, self.tailer, self.metrics)
        bells = {
            tailer.CHANNEL: self.pacer.heard,
            pacer.CHANNEL: self.pacer.vacant,
            tracker.CHANNEL: self.presence.ring,
        }
        self.listener = Listener(settings, bells, self.tailer.prefetch, self._notify, self.metrics)
        self.freshness = Freshness(settings, self.tailer)
        self._heartbeats = Heartbeats(
            settings, self.connections, self.tailer, self.freshness, self.rollout, self.metrics
        )
        self._maintenance = Maintenance(self.pool, self.metrics.runtime_gauges)
        self.client_positions = ClientPositions(self.tailer, self.connections)
        self._journal = DeliveryJournal(self.tailer, self.connections)
        self.tailer.observers.append(self._journal.swept)
        self.gap_reports = GapReports(self.pool, self.instance, self.metrics)
        self.checkpoints = Checkpoints(
            settings.checkpoint, self.pool, self.tailer, self.connections, self.gap_reports, self.metrics
        )
        self.publisher.readers.append(self.checkpoints)
        self.tailer.observers.append(self.checkpoints.swept)
        if (deliveries := tracing.deliveries(self.instance)) is not None:
            self.publisher.followers.append(deliveries)
        self._instance_registry = InstanceRegistry(self.pool, self._word, self._journal)
        self.metrics.runtime_gauges.show(
            GaugeSources(
                connections=lambda: len(self.connections),
                draining=lambda: self.admission.draining,
                listener_age=lambda: self.listener.age,
                log_idle=lambda: math.inf if self.tailer.idle is None else self.tailer.idle,
                leases=self.presence.count,
                pool=self.pool,
            )
        )
        self._started = 0.0
        self._running = AsyncExitStack()

    async def start(self) -> None:
        """Raises psycopg.OperationalError or NotReadyError where the database cannot be used."""
        # For all that runs on from here: each line says of which instance it is.
        with structlog.contextvars.bound_contextvars(instance=self.instance):
            await self._start()
            log.info("following the log", cursor=str(self.tailer.cursor))

    async def _start(self) -> None:
        async with AsyncExitStack() as started:
            started.push_async_callback(self.pool.close)
            await self.tailer.start()
            self.freshness.start()
            started.push_async_callback(self.tailer.stop)
            await self.pool.open(wait=True, timeout=10)
            started.push_async_callback(self.catchups.stop)
            if self.replica is not None:
                started.push_async_callback(self.replica.stop)
                await self.replica.start()
            await self.listener.start()
            started.push_async_callback(self.listener.stop)
            self.pacer.start()
            started.push_async_callback(self.pacer.stop)
            self.presence.start()
            started.push_async_callback(self.presence.stop)
            self.checkpoints.start()
            started.push_async_callback(self.checkpoints.stop)
            self._maintenance.start()
            started.push_async_callback(self._maintenance.stop)
            self._heartbeats.start()
            started.push_async_callback(self._heartbeats.stop)
            self._started = time.monotonic()
            self._instance_registry.start()
            started.push_async_callback(self._instance_registry.stop)
            self._running = started.pop_all()

    async def stop(self) -> None:
        """Say goodbye to every client, then end everything."""
        self.drain()
        await self._running.aclose()

    @property
    def ready(self) -> bool:
        """Whether a client should be sent here."""
        return self.reads_log and self.listener.up and not self.admission.draining

    @property
    def reads_log(self) -> bool:
        """Whether the log is being read, and was a few seconds ago."""
        return self.tailer.up and self.freshness.fresh

    def health(self) -> dict[str, object]:
        """What /readyz says."""
        return {
            "status": "ready" if self.ready else "draining" if self.admission.draining else "not ready",
            "instance": self.instance,
            "log": "followed" if self.reads_log else "not read" if self.tailer.up else "out of reach",
            "log_age": round(self.freshness.age, 1),
            "listener": "up" if self.listener.up else "down",
            "pacer": self.pacer.mode,
            **({"replica": self.replica.fitness or "not looked at yet"} if self.replica is not None else {}),
            "connections": len(self.connections),
        }

    def subscribe(
        self, principal: Principal, encoding: Encoding, sink: Sink, boards: frozenset[str] | None, cursor: str | None
    ) -> Subscription:
        """Begin a stream of one who was let in (`admission`): its first message is auth_success. End it with leave()."""
        subscription = Subscription(
            principal, encoding, sink, boards, self.tailer.cursor, budget=self.settings.client_budget
        )
        self.connections.add(subscription)
        self.catchups.open(subscription, cursor)
        log.debug("a stream begins", connection=subscription.id, user=principal.user_id, transport=encoding.name)
        return subscription

    async def greeted(self, subscription: Subscription) -> None:
        """Wait for that first message: what a client says behind its auth is about what it has been told."""
        await self.catchups.greeted(subscription)

    def leave(self, subscription: Subscription) -> None:
        """The client is gone. Idempotent."""
        if subscription.state is not State.CLOSED:
            log.debug("a stream has ended", connection=subscription.id)
        self.catchups.cancel(subscription)
        self.presence.leave(subscription)
        self.connections.remove(subscription)

    def greet(self, subscription: Subscription) -> None:
        """Answer a token that was renewed in place; without a cursor if the client holds a part of a batch."""
        cursor = self.tailer.cursor if subscription.state is State.LIVE else subscription.cursor
        self.rollout.greet(subscription, "live", None if subscription.owed else str(cursor))

    def look(self, subscription: Subscription, wanted: frozenset[str] | None) -> None:
        """Send a client the events of other boards than before (None: of all that its user sees)."""
        self.connections.want(subscription, wanted, self.publisher.memberships.boards(subscription.principal.user_id))

    def confirm(self, subscription: Subscription) -> None:
        """Send `subscribed` as soon as the client is live and no batch is being published, so that it can have a cursor."""
        subscription.unconfirmed = True
        self.connections.confirm(subscription, self.publisher.rest)

    async def redeem(self, ticket: str) -> Principal | None:
        """Whose ticket this is; None if it is unknown, used or over. Raises psycopg.Error, PoolTimeout, TimeoutError."""
        async with asyncio.timeout(_TO_REDEEM), self.pool.connection() as conn:
            found = await redeem(conn, ticket)
        return None if found is None else Principal(found.user_id, found.name, found.expires, found.roles)

    def drain(self) -> None:
        """Take no more clients, and ask those who are here to come back, spread over some seconds."""
        if self.admission.draining:
            return
        self.admission.draining = True
        for subscription in self.connections:
            subscription.dismiss(RESTART, retry=some_time())
            self.metrics.closed.labels(RESTART.name).inc()

    def _feed(self) -> str:
        return self.tailer.cursor.feed

    def _word(self) -> Word:
        cursor = self.tailer.cursor
        return Word(
            instance=self.instance,
            service=self.service,
            running=time.monotonic() - self._started,
            idle=self.tailer.idle,
            sweeps=self.tailer.sweeps,
            cursor=str(cursor),
            anchor=cursor.anchor,
            connections=len(self.connections),
            listens=self.listener.up,
            ready=self.ready,
            tailer_pid=self.tailer.backend,
            listener_pid=self.listener.backend,
            acks=self.client_positions.told(),
            replica=self.replica.fitness if self.replica is not None else None,
        )

    def _fell_behind(self, subscription: Subscription) -> None:
        self.catchups.recover(subscription)

    def _replaced(self, fault: Fault) -> None:
        self.catchups.forget()
        for subscription in self.connections:
            self.catchups.restart(subscription, fault)

    async def _notify(self, channel: str) -> None:
        async with self.pool.connection() as conn:
            await conn.execute("SELECT pg_notify(%s, '')", (channel,))
