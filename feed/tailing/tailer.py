"""The tailer: one sweep of the log for all clients of this process.

Invariant: what has been published is exactly what `cursor` has seen, in order, and perhaps a part of the batch that is being
published. A sweep asks what a new snapshot shows that the cursor's did not, and publishes it; one that fails in the middle goes on
where it was. A doorbell only makes the next sweep come at once: without any it comes every second.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterator

import psycopg
import structlog

from db import changelog, flags
from db.changelog import Seen
from db.connection import Connection
from db.settings import Settings
from feed.delivery.flags import Flags
from feed.delivery.memberships import Memberships
from feed.delivery.publisher import Publisher
from feed.system.backoff import backoff
from feed.system.database import NotReadyError, connect, require_ready
from feed.system.tasks import end
from feed.tailing.log_reader import PATIENCE, LogReader, ReplacedError
from feed.tailing.prefetch import FEW, Prefetch
from feed.tailing.replica import Replica
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import Cursor, Fault

CHANNEL = "boardcast"
"""The doorbell's channel; see db/sql/functions/ring.sql."""
_AWAKE = 3
"""Sweeps' time without one after which nobody should believe that this process knows what is in the log."""
_PAUSE = 0.02
"""Seconds between sweeps for what a standby does not have yet."""
_TRUST = 5.0
"""Seconds after which the log is proven again on a connection that was not lost: the feed can be reset by hand."""

log = structlog.get_logger()


class Tailer:
    """`replaced` is called when the log is not the one it was: all clients must begin anew."""

    def __init__(
        self,
        settings: Settings,
        publisher: Publisher,
        metrics: Metrics,
        replaced: Callable[[Fault], None],
        replica: Replica | None = None,
    ) -> None:
        self._settings = settings
        self.prefetch = Prefetch(self.ring)
        self.publisher = publisher
        self._metrics = metrics
        self._replaced = replaced
        self._log_reader = LogReader(settings, publisher, self.prefetch, replica)
        self._doorbell = asyncio.Event()
        self._swept = asyncio.Condition()
        self._looked = -math.inf
        self._checked = -math.inf
        """When it was last made sure that this is the log that it was."""
        self._begun = 0
        self._done = 0
        self._task: asyncio.Task[None] | None = None
        self.up = False
        self.backend: int | None = None
        """The server's process that the log is read with; None while there is none."""
        self.observers: list[Callable[[int, int], None]] = []
        """Called after each sweep: how many changes it has found, and how many of them rang."""
        self.replayed: str | None = None
        """A place in the primary's WAL by which all is written that the cursor has seen; None where it was not asked for."""
        self.since: Cursor
        """What it was when the sweep began; set with the first."""

    async def start(self) -> None:
        """Connect, find the place in the log, and follow it from there. Raises if the database cannot be used."""
        conn = await self._connect()
        try:
            await self._begin(conn)
        except BaseException:
            await conn.close()
            raise
        self._task = asyncio.create_task(self._run(conn), name="tailer")

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    @property
    def cursor(self) -> Cursor:
        """What has been published to all who are live; from start() on."""
        return self.publisher.head

    @property
    def current(self) -> bool:
        """Whether the log is being read now: what was written a few seconds ago has been told."""
        return self.up and time.monotonic() - self._looked < _AWAKE * self._settings.sweep

    @property
    def sweeps(self) -> int:
        """How often the log has been read to its end."""
        return self._done

    @property
    def idle(self) -> float | None:
        """Seconds since then; None before the first time."""
        return time.monotonic() - self._looked if self._done else None

    def ring(self) -> None:
        """Sweep at once."""
        self._doorbell.set()

    async def reach(self, snapshot: Seen) -> None:
        """Wait until everything is published that a snapshot shows, which was made before: a standby may have it later."""
        while True:
            await self.swept()
            shown = self._log_reader.shown
            if shown is None or (shown.xmax >= snapshot.xmax and not any(xid in snapshot for xid in shown.xip)):
                return
            await asyncio.sleep(_PAUSE)

    def doubt(self) -> None:
        """Prove the log at once: somebody knows another feed than the one that is followed."""
        self.publisher.doubted = True
        self._doorbell.set()

    def heard(self) -> None:
        """The doorbell was heard."""
        self.prefetch.notified()
        self.ring()

    async def swept(self) -> None:
        """Wait until a sweep that begins after this call has ended."""
        target = self._begun + 1
        self.prefetch.invalidate()
        self._doorbell.set()
        async with self._swept:
            await self._swept.wait_for(lambda: self._done >= target)

    async def _run(self, conn: Connection) -> None:
        waits = backoff()
        while True:
            try:
                async with conn:
                    self._up(conn.info.backend_pid)
                    self._checked = time.monotonic()
                    while True:
                        self._doorbell.clear()
                        try:
                            await self._sweep(conn)
                        except ReplacedError:
                            self.publisher.doubted = True
                        waits, self._log_reader.patience = backoff(), PATIENCE
                        if time.monotonic() - self._checked <= _TRUST and not self.publisher.doubted:
                            await self._wait()
                            continue
                        async with asyncio.timeout(PATIENCE):
                            await self._prove(conn)
                        self._checked, self.publisher.doubted = time.monotonic(), False
            except TimeoutError:
                log.warning("the log is not being read; connecting again", after=self._log_reader.patience)
                self._log_reader.patience *= 2
            except (psycopg.Error, OSError) as error:
                log.warning("the log cannot be read; connecting again", error=str(error).strip())
            except Exception:
                # A mistake of ours. The cursor has not moved, so nothing is lost by beginning this sweep again.
                log.exception("a sweep failed; connecting again")
            self._up(None)
            self.publisher.lost()
            self._metrics.reconnects.labels("tailer").inc()
            conn = await self._reconnect(waits)

    async def _reconnect(self, waits: Iterator[float]) -> Connection:
        for seconds in waits:
            await asyncio.sleep(seconds)
            try:
                conn = await self._connect()
                async with asyncio.timeout(PATIENCE):
                    await self._resume(conn)
            except (psycopg.Error, OSError, TimeoutError, NotReadyError) as error:
                log.warning("the database is not back yet", error=str(error).strip())
            else:
                log.info("following the log again", cursor=str(self.cursor))
                return conn
        raise AssertionError("backoff() does not end")

    async def _connect(self) -> Connection:
        conn = await connect(self._settings.listen_database, "boardcast-tailer")
        try:
            await changelog.plan(conn)
        except BaseException:
            await conn.close()
            raise
        return conn

    async def _begin(self, conn: Connection) -> None:
        """Stand where the log stands now, with the membership and the flags of the same snapshot."""
        await require_ready(conn)
        feed = await changelog.identify(conn)
        async with conn.transaction():
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            position = await changelog.position(conn)
            memberships = Memberships(await changelog.membership(conn))
            offered = Flags(await flags.rules(conn))
        self.replayed = None
        self.publisher.start(Cursor.at(feed, position), memberships, offered)
        self._log_reader.forget()
        self._log_reader.prepare()

    async def _resume(self, conn: Connection) -> None:
        try:
            await require_ready(conn)
            await changelog.identify(conn)
            await self._prove(conn)
        except BaseException:
            await conn.close()
            raise

    async def _prove(self, conn: Connection) -> None:
        """Go on from the cursor if this is still the log that it is a place in; else begin anew, and every client with us."""
        fault = self.cursor.fault(await changelog.proof(conn, self.cursor.anchor))
        if fault is not None:
            log.warning("this is not the log that it was: every client begins anew", reason=fault)
            self.publisher.replay_buffer.clear()
            await self._begin(conn)
            self.publisher.lost()
            self._replaced(fault)

    async def _sweep(self, conn: Connection) -> None:
        began = time.perf_counter()
        self._begun += 1
        self.since = self.cursor
        self.replayed = await self._log_reader.read_pass(conn)
        if self.publisher.found <= FEW:
            self._log_reader.prepare()
        self._looked = time.monotonic()
        self._metrics.sweeps.inc()
        self._metrics.sweep_seconds.observe((time.perf_counter() - began,))
        for observe in self.observers:
            observe(self.publisher.found, self.publisher.rang)
        async with self._swept:
            self._done = self._begun
            self._swept.notify_all()

    async def _wait(self) -> None:
        # The sweep that comes whatever happens: a lost bell costs a second, never an event.
        alarm = asyncio.get_running_loop().call_later(self._settings.sweep, self._doorbell.set)
        try:
            await self._doorbell.wait()
        finally:
            alarm.cancel()

    def _up(self, backend: int | None) -> None:
        self.backend = backend
        self.up = backend is not None
        self._metrics.database_up.set(self.up)
