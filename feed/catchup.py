"""Catching up: from where a client stands to where the hub stands, then live.

Invariant: a client goes live at the end of the ring, having been sent everything up to there, once, with nothing awaited in
between. What the ring no longer holds is read by the tailer's own query, up to the hub's cursor; a cursor is proven in the
same snapshot that it is read in. A read that fails in the middle is taken up where it was left.
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
from feed.reading import Asked, FaultyError, Reading
from feed.readings import Readings
from feed.replica import Replica
from feed.rights import Rights, before
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
        # Instead of a cursor that was refused `reset` brings the new one: a client that is cut before that must not have it.
        self._steering.greet(subscription, resume, cursor if fault is None else None)
        log.debug("stream begins", connection=subscription.id, resume=resume, cursor=cursor)
        for board in sorted((subscription.wanted or frozenset()) - subscription.offered):
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
                reading = await self._begin(subscription)
                await reading.proven.wait()
                reading.check()
            except FaultyError as error:
                return error.fault
            except (psycopg.OperationalError, PoolTimeout, TimeoutError):
                await asyncio.sleep(seconds)
            else:
                return None
        raise AssertionError("backoff() does not end")

    async def _begin(self, subscription: Subscription) -> Reading:
        """What came after a client's cursor. Raises what Readings.reach() does."""
        await self._readings.reach(subscription.cursor)
        return self._readings.begin(self._asked(subscription))

    async def _follow(self, subscription: Subscription, source: str) -> None:
        """From the subscription's cursor to live; `source` says from where, unless more has to be read than is thought."""
        if subscription.torn is not None and not await self._finish(subscription):
            return
        place = None if subscription.collapse else self._stand(subscription)
        waits = backoff()
        while await self._drain.drained(subscription):
            if place is not None and self._ring.holds(place):
                place = self._replay(subscription, place)
                if place == self._ring.end:
                    self._go_live(subscription, source)
                    return
                continue
            try:
                target, read = await self._read(subscription)
            except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
                _warn(subscription, error)
                await asyncio.sleep(next(waits))
                continue
            if target is not None:
                subscription.cursor, source, waits = target, read, backoff()
                place = self._stand(subscription)

    def _go_live(self, subscription: Subscription, source: str) -> None:
        subscription.collapse = False
        subscription.stand(Rights(subscription.principal.user_id, subscription.visible))
        self._metrics.catchups.labels(source).inc()
        self._connections.go_live(subscription)
        subscription.tell("presence_state", presence=self._presence.state(subscription.boards))

    def _stand(self, subscription: Subscription) -> int | None:
        """Where in the ring a client's cursor stands, with the rights of that place; None where it is not held."""
        place = self._ring.place(subscription.cursor)
        if place is not None:
            self._see(subscription)
            user, changes = subscription.principal.user_id, self._ring.grants(place)
            subscription.stand(Rights(user, before(user, subscription.visible, changes), changes))
        return place

    async def _finish(self, subscription: Subscription) -> bool:
        """Send the rest of the batch in which a client fell behind; False where it is gone, or must come back with its cursor.

        It holds what it was sent of that batch, so the batch is neither sent again nor collapsed.
        """
        while subscription.torn is not None and await self._drain.drained(subscription):
            place, start = subscription.torn
            if not self._ring.holds(place):
                self._drain.drop(subscription)
                break
            self._see(subscription)
            for batch in self._ring.since(place):
                if subscription.sink.pending() > self._settings.client_budget:
                    break
                subscription.replay(batch.after(start))
                place, start = place + 1, 0
                if batch.cursor is not None:
                    subscription.cursor, subscription.torn = batch.cursor, None
                    return True
            subscription.torn = place, start
            if place == self._ring.end:
                # The batch is still being published: the rest of it comes live.
                subscription.torn = None
                self._go_live(subscription, "ring")
        return False

    async def _read(self, subscription: Subscription) -> tuple[Cursor | None, str]:
        """Send what the log has from a client's cursor to the hub's: that, if the client takes it all, and what was done."""
        source = "collapsed" if subscription.collapse else "log"
        try:
            reading = await self._begin(subscription)
            asked, later = self._asked(subscription), self._ring.grants(self._ring.place(reading.target) or 0)
            user = subscription.principal.user_id
            there = before(user, subscription.visible, later)
            await reading.ended.wait()
            reading.check()
            subscription.stand(Rights(user, before(user, there, reading.grants), [*reading.grants, *later]))
            return await self._write(subscription, asked, reading), source
        except FaultyError as error:
            target = self._tailer.cursor
            self._reset(subscription, error.fault)
            return target, "reset"

    async def _write(self, subscription: Subscription, asked: Asked, reading: Reading) -> Cursor | None:
        """What is shared, then what is not; where it leads to, if the client takes it all."""
        for batch in reading.batches:
            self._see(subscription)
            subscription.replay(batch)
            if not await self._drain.drained(subscription):
                return None
        after, waits = reading.end, backoff()
        while after is not None:
            try:
                async with aclosing(self._readings.rest(asked, reading, after)) as parts:
                    async for batch, place in parts:
                        self._see(subscription)
                        subscription.replay(batch)
                        after, waits = place if batch.cursor is None else None, backoff()
                        if not await self._drain.drains(subscription, _GRACE):
                            # Its socket is slow: others have the turn meanwhile, and this read is taken up where it was left.
                            break
            except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
                _warn(subscription, error)
                await asyncio.sleep(next(waits))
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
        return Asked(subscription.cursor, subscription.offered, subscription.collapse)

    def _see(self, subscription: Subscription) -> None:
        subscription.see(self._tailer.publisher.members.boards(subscription.principal.user_id))

    def _reset(self, subscription: Subscription, fault: Fault) -> None:
        self._metrics.resets.labels(fault).inc()
        log.debug("a cursor cannot be resumed from", connection=subscription.id, reason=fault)
        self._see(subscription)
        # What changed in its user's rights up to here is never sent: it learns from this what it sees.
        boards = sorted(subscription.offered)
        subscription.tell_place("reset", str(self._tailer.cursor), reason=fault, boards=boards)
        subscription.owed, subscription.torn = False, None  # it drops what it holds

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


def _warn(subscription: Subscription, error: Exception) -> None:
    log.warning(
        "client cannot catch up yet; trying again",
        connection=subscription.id,
        cursor=str(subscription.cursor),
        error=str(error).strip(),
    )
