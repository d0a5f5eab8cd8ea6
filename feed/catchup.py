"""Catching up: from where a client stands to where the hub stands, then live.

Invariant: a client goes live at the end of the ring, having been written everything up to there, with nothing awaited in
between. What the ring no longer holds is read by the tailer's own query, up to the hub's cursor; a cursor is proven in the
same snapshot that it is read in.
"""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db.settings import Settings
from feed.backoff import backoff
from feed.connections import Connections
from feed.cursor import Cursor, Fault
from feed.database import Pool
from feed.drain import Drain
from feed.metrics import Metrics
from feed.presence import PresenceKeeper
from feed.reading import Asked, FaultyError
from feed.readings import Readings
from feed.replica import Replica
from feed.ring import Ring
from feed.steering import Steering
from feed.subscription import Shown, Subscription
from feed.tailer import Tailer
from feed.tasks import end

_GRACE = 0.2
"""Seconds that a reader waits for its client to take what was read, before another client has its turn."""
_REPLAYED = 32 * 1024 * 1024
"""Bytes written from the ring after which what its batches were encoded to is dropped, and made again where it is needed."""

log = structlog.get_logger()


class CatchUps:
    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        tailer: Tailer,
        ring: Ring,
        connections: Connections,
        presence: PresenceKeeper,
        steering: Steering,
        metrics: Metrics,
        replica: Replica | None = None,
    ) -> None:
        self._settings = settings
        self._tailer = tailer
        self._ring = ring
        self._connections = connections
        self._presence = presence
        self._steering = steering
        self._metrics = metrics
        self._drain = Drain(settings, metrics)
        self._readings = Readings(settings, pool, tailer, ring, metrics, replica)
        self._tasks: dict[Subscription, asyncio.Task[None]] = {}
        self._greeting: dict[Subscription, asyncio.Future[None]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._replayed = 0

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
        self._spawn(subscription, self._follow(subscription, "collapsed"))

    def restart(self, subscription: Subscription, fault: Fault) -> None:
        """The log was replaced: a client begins anew where the hub stands."""
        if subscription in self._greeting:
            return  # it has been told nothing yet, and its cursor is being proven anyway
        self.cancel(subscription)
        self._connections.fall_behind(subscription, self._tailer.cursor)
        self._reset(subscription, fault)
        self._spawn(subscription, self._follow(subscription, "reset"))

    def cancel(self, subscription: Subscription) -> None:
        """Stop working for a client."""
        if (task := self._tasks.pop(subscription, None)) is not None:
            task.cancel()
        self._greet(subscription)

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        await end(*self._working)
        await self._readings.stop()

    def forget(self) -> None:
        """The log was replaced: nothing that was read of it holds."""
        self._readings.clear()

    async def _open(self, subscription: Subscription, asked: str | None) -> None:
        resume, fault = "live", None
        if asked is not None:
            fault = await self._fault(subscription, asked)
            resume = "resumed" if fault is None else "reset"
        if resume == "resumed":
            subscription.shown = Shown(subscription.cursor, str(subscription.cursor), time.monotonic())
        else:
            subscription.cursor = self._tailer.cursor
        self._see(subscription)
        cursor = str(subscription.cursor)
        self._steering.greet(subscription, resume, cursor)
        log.debug("a client is told where it stands", connection=subscription.id, resume=resume, cursor=cursor)
        for board in sorted((subscription.wanted or frozenset()) - subscription.boards):
            subscription.tell("error", code="unknown_board", message=f"there is no board {board!r} that you can see")
        if fault is not None:
            self._reset(subscription, fault)
        self._greet(subscription)
        await self._follow(subscription, "ring" if resume == "resumed" else resume)

    def _greet(self, subscription: Subscription) -> None:
        if (greeting := self._greeting.pop(subscription, None)) is not None:
            greeting.set_result(None)

    async def _fault(self, subscription: Subscription, asked: str) -> Fault | None:
        try:
            subscription.cursor = Cursor.parse(asked)
        except ValueError:
            return Fault.MALFORMED
        if self._ring.place(subscription.cursor) is not None:
            return None
        for seconds in backoff():
            try:
                await self._readings.prove(self._asked(subscription))
            except FaultyError as error:
                return error.fault
            except (psycopg.OperationalError, PoolTimeout, TimeoutError):
                await asyncio.sleep(seconds)
            else:
                return None
        raise AssertionError("backoff() does not end")

    async def _follow(self, subscription: Subscription, source: str) -> None:
        """From the subscription's cursor to live; `source` says from where, unless more has to be read than is thought."""
        place = None if subscription.collapse else self._ring.place(subscription.cursor)
        waits = backoff()
        while await self._drain.drained(subscription):
            if place is not None and self._ring.holds(place):
                place = self._replay(subscription, place)
                if place == self._ring.end:
                    subscription.collapse = False
                    self._metrics.catchups.labels(source).inc()
                    self._connections.go_live(subscription)
                    subscription.tell("presence_state", presence=self._presence.state(subscription.boards))
                    return
                continue
            try:
                place, read = await self._read(subscription)
                source = read or source
            except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
                log.warning(
                    "a client cannot be caught up yet",
                    connection=subscription.id,
                    cursor=str(subscription.cursor),
                    error=str(error).strip(),
                )
                await asyncio.sleep(next(waits))

    async def _read(self, subscription: Subscription) -> tuple[int | None, str | None]:
        """Write what the log has from the subscription's cursor to the hub's; where in the ring to go on, and what was done."""
        source = "collapsed" if subscription.collapse else "log"
        try:
            target = await self._write(subscription, self._asked(subscription))
        except FaultyError as error:
            target, source = self._tailer.cursor, "reset"
            self._reset(subscription, error.fault)
        if target is None:
            return None, None
        subscription.cursor = target
        return self._ring.place(target), source

    async def _write(self, subscription: Subscription, asked: Asked) -> Cursor | None:
        """What is shared, then what is not; where it leads to, if the client takes it all."""
        reading = await self._readings.read(asked)
        for batch in reading.batches:
            self._see(subscription)
            subscription.replay(batch)
            if not await self._drain.drained(subscription):
                return None
        after = reading.end
        while after is not None:
            async with aclosing(self._readings.rest(asked, reading, after)) as parts:
                async for batch, place in parts:
                    self._see(subscription)
                    subscription.replay(batch)
                    after = place if batch.cursor is None else None
                    if not await self._drain.drains(subscription, _GRACE):
                        # Its socket is slow: others have the turn meanwhile, and this read is taken up where it was left.
                        break
            if not await self._drain.drained(subscription):
                return None
        return reading.target

    def _replay(self, subscription: Subscription, place: int) -> int:
        """Write the ring from a place on; the place reached, which is its end unless the client has enough to read."""
        self._see(subscription)
        for batch in self._ring.since(place):
            if subscription.sink.pending() > self._settings.client_budget:
                break
            subscription.replay(batch)
            subscription.cursor = batch.cursor or subscription.cursor
            place += 1
            self._replayed += batch.size
        if self._replayed > _REPLAYED:
            self._forget()
        return place

    def _asked(self, subscription: Subscription) -> Asked:
        self._see(subscription)
        return Asked(subscription.cursor, subscription.boards, subscription.collapse)

    def _see(self, subscription: Subscription) -> None:
        subscription.see(self._tailer.publisher.members.boards(subscription.principal.user_id))

    def _reset(self, subscription: Subscription, fault: Fault) -> None:
        self._metrics.resets.labels(fault).inc()
        log.debug("a cursor cannot be resumed from", connection=subscription.id, reason=fault)
        subscription.tell_place("reset", str(self._tailer.cursor), reason=fault)

    def _forget(self) -> None:
        self._replayed = 0
        self._ring.forget()

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
            self._forget()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A mistake of ours in one client's stream: it comes back with its cursor, and nobody else is touched.
            log.error("catching up failed", connection=subscription.id, exc_info=error)
            subscription.sink.abort()
