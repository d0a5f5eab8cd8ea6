"""The pacer: sends NOTIFY on behalf of the writers when there are many. A lease allows one pacer at a time.

A transaction that sends NOTIFY holds a database-wide lock while it commits, so writers that notify wait for each other. While
NOTIFY is suppressed (a sequence says until when; db/sql/tables/pacer.sql), writers skip it. This instance then reads the log
every few milliseconds and sends one NOTIFY for everything that a pass found.

Invariant: every write that skips NOTIFY is covered by a scheduled read. NOTIFY is suppressed only while passes continue, only
for a short time ahead, and extended only after another pass has ended. Suppression ends before the passes do: writers in
progress at that moment may have skipped NOTIFY and may commit at any time, so passes continue until each of them has ended,
plus one pass. A new holder of the lease begins with that wait, on behalf of the previous one.

Two instances that both believe they hold the lease do no harm. The statement that suppresses NOTIFY also renews the lease,
under the lock of its row and only for its holder, so the instance without the lease suppresses nothing and detects its error.
Until then, it only reads and notifies more than necessary. An instance that is killed, stopped or cut off cannot extend the
suppression either. The suppression expires, every writer notifies again, and the safety read that every instance does once a
second finds the rest.
"""

import asyncio
from contextlib import suppress

import psycopg
import structlog

from db import pacer
from db.connection import PsycopgConnection
from db.readiness import NotReadyError
from db.settings import Settings
from feed.notify.mode import Mode
from feed.notify.poll_loop import PollLoop
from feed.notify.write_rate import WriteRate
from feed.system.backoff import backoff
from feed.system.database import connect
from feed.system.supervisor import Supervisor
from feed.system.tasks import end
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.observers import Observer

CHANNEL = "boardcast_pacer"
"""Notified when an instance gives the lease back; see db/sql/queries/pacer_release.sql."""

_SUPPRESS_MS = 400
"""Milliseconds for which NOTIFY is suppressed: the longest that a write waits for a NOTIFY if the pacer dies. The capture trigger
ignores a suppression that ends more than a second ahead."""
_EXTEND_INTERVAL = 0.1
"""Seconds after which the suppression is extended."""
_RENEW_INTERVAL = 1.0
"""Seconds between renewals of the lease while NOTIFY is not suppressed, and between attempts to claim another instance's lease."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.004, 0.25
"""Seconds between passes while waiting for transactions in progress: the first pause, and the longest."""
_STATEMENT_TIMEOUT = 1.0
"""Seconds that a statement may take before the connection is given up."""

log = structlog.get_logger()


class Pacer(Observer):
    def __init__(self, settings: Settings, instance: str, tailer: Tailer, metrics: Metrics) -> None:
        self._settings = settings
        self._instance = instance
        self._tailer = tailer
        self._metrics = metrics
        self._poll_loop = PollLoop(tailer.wait_for_pass)
        self._supervisor: Supervisor
        self._write_rate = WriteRate()
        self._wake_event = asyncio.Event()
        self._notify_due = False
        self._notify_count = 0
        self._task: asyncio.Task[None] | None = None
        self.mode = Mode.INACTIVE
        tailer.publisher.subscribe(self)

    def start(self, supervisor: Supervisor) -> None:
        """Compete for the lease, unless the settings require every writer to notify."""
        if self._settings.notify_mode == "always":
            self._metrics.pacer.state("always")
        else:
            self._supervisor = supervisor
            self._task = supervisor.start("pacer", self._run)

    async def stop(self) -> None:
        """Stop suppressing NOTIFY, and give the lease back. Idempotent; complete when it returns."""
        if self._task is None:
            return
        leading = self.mode is not Mode.INACTIVE
        await end(self._task)
        self._task = None
        if leading:
            # On a new connection: the old one may have been interrupted in the middle of a statement.
            try:
                async with asyncio.timeout(_STATEMENT_TIMEOUT), await self._connect() as conn:
                    await pacer.release(conn, self._instance, sent=self._notify_count)
            except (psycopg.Error, OSError, TimeoutError, NotReadyError):
                log.info("pacer lease not released; it will expire")

    def on_notify(self) -> None:
        """Start a read pass, unless the poll loop is about to start one anyway."""
        if not self._poll_loop.running:
            self._tailer.on_notify()

    def on_lease_released(self) -> None:
        """Try to claim the lease at once, because another instance gave it back."""
        self._wake_event.set()

    def on_pass(self, found: int, notified: int) -> None:
        if not found:
            return
        self._metrics.notifications.labels("writer").inc(notified)
        self._metrics.notifications_suppressed.inc(found - notified)
        self._poll_loop.note_changes()
        now = asyncio.get_running_loop().time()
        self._write_rate.add(found, now)
        self._notify_due = self._notify_due or found > notified
        if self.mode is not Mode.INACTIVE and (self._notify_due or self._write_rate.is_high(now)):
            self._wake_event.set()

    async def _run(self) -> None:
        delays = backoff()
        while True:
            try:
                async with await self._connect() as conn:
                    while True:
                        if await self._claim(conn):
                            await self._lead(conn)
                        delays = backoff()
                        await self._wait(_RENEW_INTERVAL)
            except (psycopg.Error, OSError, TimeoutError, NotReadyError) as error:
                log.warning("pacer connection lost; reconnecting", error=str(error).strip())
            self._metrics.reconnects.labels("pacer").inc()
            await asyncio.sleep(next(delays))

    async def _connect(self) -> PsycopgConnection:
        conn = await connect(self._settings.listen_database, "boardcast-pacer")
        try:
            await pacer.prepare(conn)
        except BaseException:
            await conn.close()
            raise
        return conn

    async def _claim(self, conn: PsycopgConnection) -> bool:
        async with asyncio.timeout(_STATEMENT_TIMEOUT):
            return await pacer.claim(conn, self._instance)

    async def _lead(self, conn: PsycopgConnection) -> None:
        """Act as the pacer until the lease is lost. First send the NOTIFY that the previous holder may not have sent."""
        log.info("this instance is the pacer")
        self._notify_due = True
        mode = Mode.DRAINING
        try:
            while (held := await self._renew(conn, mode)) is not None:
                match Mode.MUTED if held.muted else mode:
                    case Mode.MUTED:
                        mode = await self._stay_muted()
                    case Mode.DRAINING:
                        mode = await self._drain(conn)
                    case Mode.DIRECT:
                        mode = await self._stay_direct(conn)
                    case _:
                        mode = await self._coalesce(conn)
        finally:
            await self._poll_loop.stop()
            self._set_mode(Mode.INACTIVE)
            self._tailer.wake()

    async def _coalesce(self, conn: PsycopgConnection) -> Mode:
        """Send NOTIFY for all writers until the suppression must be extended. Returns the next mode."""
        loop = asyncio.get_running_loop()
        if not self._poll_loop.running:
            self._poll_loop.start(self._supervisor)
        extend_at = loop.time() + _EXTEND_INTERVAL
        while (remaining := extend_at - loop.time()) > 0:
            await self._wait(remaining)
            await self._notify_if_due(conn)
        # Extend only if the invariant holds so far: wait for a pass that begins now.
        await self._tailer.wait_for_pass()
        if not self._write_rate.is_low(loop.time()):
            return Mode.COALESCED
        await self._poll_loop.stop()
        return Mode.DRAINING

    async def _drain(self, conn: PsycopgConnection) -> Mode:
        """After suppression ended: read until every transaction has ended that may have skipped NOTIFY. Returns the next mode."""
        loop = asyncio.get_running_loop()
        self._tailer.wake()
        async with asyncio.timeout(_STATEMENT_TIMEOUT):
            barrier = await pacer.barrier(conn)
        pause, renew = _FIRST_PAUSE, loop.time() + _RENEW_INTERVAL
        while True:
            async with asyncio.timeout(_STATEMENT_TIMEOUT):
                drained = await pacer.ended(conn, barrier)
            await self._tailer.wait_for_pass()
            await self._notify_if_due(conn)
            if drained:
                return Mode.DIRECT
            if self._write_rate.is_high(loop.time()):
                return Mode.COALESCED
            if loop.time() > renew:
                held = await self._renew(conn, Mode.DRAINING)
                if held is None or held.muted:
                    return Mode.DRAINING
                renew = loop.time() + _RENEW_INTERVAL
            await self._wait(pause)
            pause = min(1.5 * pause, _LONGEST_PAUSE)

    async def _stay_direct(self, conn: PsycopgConnection) -> Mode:
        """Let writers notify until the lease must be renewed or there are many of them. Returns the next mode."""
        await self._wait(_RENEW_INTERVAL)
        await self._notify_if_due(conn)
        return Mode.COALESCED if self._write_rate.is_high(asyncio.get_running_loop().time()) else Mode.DIRECT

    async def _stay_muted(self) -> Mode:
        """Neither read in a loop nor notify. Changes made meanwhile are notified when NOTIFY is switched on again."""
        await self._poll_loop.stop()
        await self._wait(_RENEW_INTERVAL)
        self._notify_due = True
        return Mode.DRAINING

    async def _renew(self, conn: PsycopgConnection, mode: Mode) -> pacer.Lease | None:
        """Renew the lease, and extend the suppression in the modes that need it. None if the lease was lost."""
        ahead = _SUPPRESS_MS if mode is Mode.COALESCED else 0
        count = self._notify_count
        async with asyncio.timeout(_STATEMENT_TIMEOUT):
            held = await pacer.renew(conn, self._instance, mode, ahead=ahead, sent=count)
        self._notify_count -= count
        if held is not None:
            self._set_mode(Mode.MUTED if held.muted else mode)
        else:
            log.warning("pacer lease lost to another instance")
        return held

    async def _notify_if_due(self, conn: PsycopgConnection) -> None:
        """Send NOTIFY if a pass found changes whose writers did not."""
        if not self._notify_due:
            return
        self._notify_due = False
        try:
            async with asyncio.timeout(_STATEMENT_TIMEOUT):
                await pacer.notify(conn)
        except BaseException:
            self._notify_due = True
            raise
        self._notify_count += 1
        self._metrics.notifications.labels("pacer").inc()

    async def _wait(self, seconds: float) -> None:
        """Wait this long, or until there is something to do."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake_event.wait()
        self._wake_event.clear()

    def _set_mode(self, mode: Mode) -> None:
        if mode is not self.mode:
            self.mode = mode
            self._metrics.pacer.state(mode)
            self._metrics.pacer_transitions.labels(mode).inc()
            log.debug("pacer mode changed", mode=mode)
