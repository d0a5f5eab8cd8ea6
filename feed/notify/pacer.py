"""The pacer: rings the doorbell in place of the writers when they are many. One instance at a time, by a lease.

A transaction that NOTIFYs takes a lock of the whole database through its commit, so writers who ring wait for each other. While
the pulse lasts (db/sql/tables/pacer.sql) they do not: this instance sweeps every few milliseconds and rings once for all that a
sweep has found.

Invariant: who does not ring is swept for. The pulse is set while sweeps go on, only a short time ahead, and again only after
another sweep has ended. It ends before the sweeps do: writers in progress at its end may have seen it and commit at any time, so
sweeps go on until each of them has ended, and once more. A new holder of the lease begins with that wait, on behalf of the last.

Two that both believe they hold the lease do no harm: the statement that sets the pulse renews the lease too, under the lock of
its row and by its holder only, so the one who is wrong sets none and learns it; until then he sweeps and rings more than he need.
One who is killed, stopped or cut off sets none either: the pulse ends by itself, every writer rings, and the sweep that every
instance makes once a second finds what was left.
"""

import asyncio
from contextlib import suppress
from enum import StrEnum

import psycopg
import structlog

from db import pacer
from db.changelog import Connection
from db.settings import Settings
from feed.notify.poll_loop import PollLoop
from feed.notify.write_rate import WriteRate
from feed.system.backoff import backoff
from feed.system.database import NotReadyError, connect
from feed.system.tasks import end
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics

CHANNEL = "boardcast_pacer"
"""Tells that a lease was given back; see db/sql/queries/pacer_release.sql."""

_AHEAD = 400
"""Milliseconds that the pulse is set ahead: what a write may wait for the next bell when the pacer is no more. Capture takes none
that is more than a second ahead."""
_AGAIN = 0.1
"""Seconds after which the pulse is set anew."""
_RENEW = 1.0
"""Seconds after which the lease is renewed where there is no pulse, and between looks at a lease that is another's."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.004, 0.25
"""Seconds between the sweeps that wait for transactions in progress: at first, and at most."""
_PATIENCE = 1.0
"""Seconds that a statement may take before the connection is given up."""

log = structlog.get_logger()


class Mode(StrEnum):
    ASIDE = "aside"
    """Another instance is the pacer, or nobody."""
    CALM = "calm"
    CALMING = "calming"
    BUSY = "busy"
    TICK = "tick"
    SILENT = "silent"
    """The bell is switched off (feed.set_bell): nobody rings, and every instance reads the log once a second."""


class Pacer:
    def __init__(self, settings: Settings, instance: str, tailer: Tailer, metrics: Metrics) -> None:
        self._settings = settings
        self._instance = instance
        self._tailer = tailer
        self._metrics = metrics
        self._poll_loop = PollLoop(tailer.swept)
        self._write_rate = WriteRate()
        self._stir = asyncio.Event()
        self._owed = False
        self._rung = 0
        self._task: asyncio.Task[None] | None = None
        self.mode = Mode.ASIDE
        tailer.observers.append(self._observe)

    def start(self) -> None:
        """Not where every write is to ring."""
        if self._settings.bell == "always":
            self._metrics.pacer.state("always")
        else:
            self._task = asyncio.create_task(self._run(), name="pacer")

    async def stop(self) -> None:
        """End the pulse and let another instance take over. Idempotent; complete when it returns."""
        if self._task is None:
            return
        leading = self.mode is not Mode.ASIDE
        await end(self._task)
        self._task = None
        if leading:
            # By a connection of its own: the other one may have been cut off in the middle of a statement.
            try:
                async with asyncio.timeout(_PATIENCE), await self._connect() as conn:
                    await pacer.release(conn, self._instance, rung=self._rung)
            except (psycopg.Error, OSError, TimeoutError, NotReadyError):
                log.info("the pacer's lease could not be given back; it runs out by itself")

    def heard(self) -> None:
        """The doorbell: sweep at once, unless the next sweep comes anyway."""
        if not self._poll_loop.running:
            self._tailer.heard()

    def vacant(self) -> None:
        """Somebody has given the lease back."""
        self._stir.set()

    def _observe(self, found: int, rang: int) -> None:
        """Of each sweep."""
        if not found:
            return
        self._metrics.bells.labels("writer").inc(rang)
        self._metrics.bells_skipped.inc(found - rang)
        self._poll_loop.found()
        now = asyncio.get_running_loop().time()
        self._write_rate.add(found, now)
        self._owed = self._owed or found > rang
        if self.mode is not Mode.ASIDE and (self._owed or self._write_rate.high(now)):
            self._stir.set()

    async def _run(self) -> None:
        waits = backoff()
        while True:
            try:
                async with await self._connect() as conn:
                    while True:
                        if await self._claimed(conn):
                            await self._lead(conn)
                        waits = backoff()
                        await self._stirred(_RENEW)
            except (psycopg.Error, OSError, TimeoutError, NotReadyError) as error:
                log.warning("the pacer's connection was lost; connecting again", error=str(error).strip())
            except Exception:
                log.exception("the pacer failed; connecting again")
            self._metrics.reconnects.labels("pacer").inc()
            await asyncio.sleep(next(waits))

    async def _connect(self) -> Connection:
        conn = await connect(self._settings.listen_database, "boardcast-pacer")
        try:
            await pacer.prepare(conn)
        except BaseException:
            await conn.close()
            raise
        return conn

    async def _claimed(self, conn: Connection) -> bool:
        async with asyncio.timeout(_PATIENCE):
            return await pacer.claim(conn, self._instance)

    async def _lead(self, conn: Connection) -> None:
        """Pace until the lease is lost. What the one before may not have rung for is rung for first."""
        log.info("this instance is the pacer")
        self._owed = True
        first = Mode.TICK if self._settings.bell == "tick" else Mode.CALMING
        mode = first
        try:
            while (held := await self._hold(conn, mode)) is not None:
                match Mode.SILENT if held.silent else mode:
                    case Mode.SILENT:
                        mode = await self._keep_silent(first)
                    case Mode.CALMING:
                        mode = await self._wait_out(conn)
                    case Mode.CALM:
                        mode = await self._rest(conn)
                    case _:
                        mode = await self._pace(conn, mode)
        finally:
            await self._poll_loop.end()
            self._turn(Mode.ASIDE)
            self._tailer.ring()

    async def _pace(self, conn: Connection, mode: Mode) -> Mode:
        """Ring for all, for as long as the pulse just set need not be set anew; which mode is to follow."""
        loop = asyncio.get_running_loop()
        if not self._poll_loop.running:
            self._poll_loop.begin()
        again = loop.time() + _AGAIN
        while (left := again - loop.time()) > 0:
            await self._stirred(left)
            await self._pay(conn)
        # Not set anew unless what was promised has been kept: this waits for a sweep that begins now.
        await self._tailer.swept()
        if mode is Mode.TICK or not self._write_rate.low(loop.time()):
            return mode
        await self._poll_loop.end()
        return Mode.CALMING

    async def _wait_out(self, conn: Connection) -> Mode:
        """The pulse is over: sweep until each transaction has ended that may have seen it."""
        loop = asyncio.get_running_loop()
        self._tailer.ring()
        async with asyncio.timeout(_PATIENCE):
            barrier = await pacer.barrier(conn)
        pause, renew = _FIRST_PAUSE, loop.time() + _RENEW
        while True:
            async with asyncio.timeout(_PATIENCE):
                over = await pacer.ended(conn, barrier)
            await self._tailer.swept()
            await self._pay(conn)
            if over:
                return Mode.CALM
            if self._write_rate.high(loop.time()):
                return Mode.BUSY
            if loop.time() > renew:
                held = await self._hold(conn, Mode.CALMING)
                if held is None or held.silent:
                    return Mode.CALMING
                renew = loop.time() + _RENEW
            await self._stirred(pause)
            pause = min(1.5 * pause, _LONGEST_PAUSE)

    async def _rest(self, conn: Connection) -> Mode:
        """Every writer rings; until the lease must be renewed or they are many."""
        await self._stirred(_RENEW)
        await self._pay(conn)
        return Mode.BUSY if self._write_rate.high(asyncio.get_running_loop().time()) else Mode.CALM

    async def _keep_silent(self, then: Mode) -> Mode:
        """Pace and ring for nobody. What was written meanwhile is rung for afterwards."""
        await self._poll_loop.end()
        await self._stirred(_RENEW)
        self._owed = True
        return then

    async def _hold(self, conn: Connection, mode: Mode) -> pacer.Held | None:
        """Renew the lease, and the pulse where there is to be one."""
        ahead = _AHEAD if mode in {Mode.BUSY, Mode.TICK} else 0
        rung = self._rung
        async with asyncio.timeout(_PATIENCE):
            held = await pacer.hold(conn, self._instance, mode, ahead=ahead, rung=rung)
        self._rung -= rung
        if held is not None:
            self._turn(Mode.SILENT if held.silent else mode)
        else:
            log.warning("another instance is the pacer now")
        return held

    async def _pay(self, conn: Connection) -> None:
        """Ring for those who did not."""
        if not self._owed:
            return
        self._owed = False
        try:
            async with asyncio.timeout(_PATIENCE):
                await pacer.ring(conn, self._instance, self._tailer.cursor.anchor)
        except BaseException:
            self._owed = True
            raise
        self._rung += 1
        self._metrics.bells.labels("pacer").inc()

    async def _stirred(self, seconds: float) -> None:
        """Wait so long, or until there is something to be done."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stir.wait()
        self._stir.clear()

    def _turn(self, mode: Mode) -> None:
        if mode is not self.mode:
            self.mode = mode
            self._metrics.pacer.state(mode)
            self._metrics.pacer_transitions.labels(mode).inc()
            log.debug("the doorbell", mode=mode)
