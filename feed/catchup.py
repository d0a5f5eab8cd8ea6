"""Catching up: from where a client stands to where the hub stands, then live.

Invariant: a client goes live at the end of the ring, having been written everything up to there, with nothing awaited in
between. What the ring no longer holds is read by the tailer's own query, up to the hub's cursor; a cursor is proven in the
same snapshot that it is read in.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import changelog
from db.changelog import Connection
from db.settings import Settings
from feed.backoff import backoff
from feed.batch import Batch
from feed.connections import Connections
from feed.cursor import Cursor, Fault
from feed.database import Pool, patiently
from feed.event import Event, message
from feed.goodbye import TOO_SLOW
from feed.metrics import Metrics
from feed.presence import PresenceKeeper
from feed.ring import Ring
from feed.subscription import State, Subscription
from feed.tailer import Tailer
from feed.tasks import end

_AT_ONCE = 4
"""Readers of the log at a time; the others wait their turn."""
_PATIENCE = 60.0
"""Seconds that a question may take, or a read to its next rows, before its connection is given up as dead."""
_READING = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
)
"""A log that has grown since it was last analysed is not to be read from its beginning, nor a plan compiled, for that."""
_GRACE = 0.2
"""Seconds that a reader waits for its client to take what was read, before another client has its turn."""
_LOOK = 0.02
"""Seconds between looks at a socket that drains."""

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
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._tailer = tailer
        self._ring = ring
        self._connections = connections
        self._presence = presence
        self._metrics = metrics
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[Subscription, asyncio.Task[None]] = {}
        self._working: set[asyncio.Task[None]] = set()

    def open(self, subscription: Subscription, asked: str | None) -> None:
        """Begin a new client's stream, at the cursor that it asked for or live."""
        self._spawn(subscription, self._open(subscription, asked))

    def recover(self, subscription: Subscription) -> None:
        """Bring back a client that was too slow, once it has read what it was written."""
        subscription.collapse = True
        self._metrics.slow.labels("behind").inc()
        self._spawn(subscription, self._follow(subscription))

    def restart(self, subscription: Subscription, fault: Fault) -> None:
        """The log was replaced: a client begins anew where the hub stands."""
        self.cancel(subscription)
        self._connections.fall_behind(subscription, self._tailer.cursor)
        self._reset(subscription, fault)
        self._spawn(subscription, self._follow(subscription))

    def cancel(self, subscription: Subscription) -> None:
        """Stop working for a client."""
        if (task := self._tasks.pop(subscription, None)) is not None:
            task.cancel()

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        await end(*self._working)

    async def _open(self, subscription: Subscription, asked: str | None) -> None:
        resume, fault = "live", None
        if asked is not None:
            fault = await self._fault(subscription, asked)
            resume = "resumed" if fault is None else "reset"
        if resume != "resumed":
            subscription.cursor = self._tailer.cursor
        self._see(subscription)
        cursor = str(subscription.cursor)
        hello = message(
            "auth_success",
            userId=subscription.principal.user_id,
            connectionId=subscription.id,
            boards=sorted(subscription.boards),
            resume=resume,
            cursor=cursor,
        )
        subscription.sink.write(subscription.encoding.message("auth_success", hello, cursor))
        for board in sorted((subscription.wanted or frozenset()) - subscription.boards):
            subscription.tell("error", code="unknown_board", message=f"there is no board {board!r} that you can see")
        if fault is not None:
            self._reset(subscription, fault)
        await self._follow(subscription)

    async def _fault(self, subscription: Subscription, asked: str) -> Fault | None:
        try:
            cursor = subscription.cursor = Cursor.parse(asked)
        except ValueError:
            return Fault.MALFORMED
        if self._ring.place(cursor) is not None:
            return None
        for seconds in backoff():
            try:
                async with self._reader() as conn, asyncio.timeout(_PATIENCE):
                    return cursor.fault(await changelog.proof(conn, cursor.anchor))
            except (psycopg.OperationalError, PoolTimeout, TimeoutError):
                await asyncio.sleep(seconds)
        raise AssertionError("backoff() does not end")

    async def _follow(self, subscription: Subscription) -> None:
        """From the subscription's cursor to live."""
        place = None if subscription.collapse else self._ring.place(subscription.cursor)
        waits = backoff()
        while await self._drained(subscription):
            if place is not None and self._ring.holds(place):
                place = self._replay(subscription, place)
                if place == self._ring.end:
                    subscription.collapse = False
                    self._connections.go_live(subscription)
                    subscription.tell("presence_state", presence=self._presence.state(subscription.boards))
                    return
                continue
            try:
                place = await self._read(subscription)
            except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
                log.warning("a client cannot be caught up yet", error=str(error).strip())
                await asyncio.sleep(next(waits))

    async def _read(self, subscription: Subscription) -> int | None:
        """Write what the log has from the subscription's cursor to the hub's; the place in the ring to go on from."""
        if not self._tailer.cursor.covers(subscription.cursor) or self._ring.place(self._tailer.cursor) is None:
            # It has been served by one that was ahead of us, or more was published in one sweep than the ring holds.
            await self._tailer.swept()
        self._see(subscription)
        target, settings = self._tailer.cursor, self._settings
        after: tuple[int, int] | None = None
        done = subscription.cursor == target
        while not done:
            async with self._reader() as conn:
                async with asyncio.timeout(_PATIENCE):
                    fault = subscription.cursor.fault(await changelog.proof(conn, subscription.cursor.anchor))
                if fault is not None:
                    target = self._tailer.cursor
                    self._reset(subscription, fault)
                    break
                reading = changelog.read(
                    conn,
                    subscription.cursor.seen,
                    target.seen,
                    subscription.boards,
                    collapsed=subscription.collapse,
                    threshold=settings.resync_threshold,
                    chunk=settings.chunk,
                    after=after,
                )
                async with aclosing(reading) as parts:
                    async for part in patiently(parts, _PATIENCE):
                        self._see(subscription)
                        events = [Event.of(change) for change in part.changes]
                        subscription.replay(Batch(events, target if part.last else None))
                        after, done = part.end, part.last
                        if not await self._drains(subscription, _GRACE):
                            # Its socket is slow: others have the turn meanwhile, and this read is taken up where it was left.
                            break
            if not await self._drained(subscription):
                return None
        self._metrics.catchups.labels("collapsed" if subscription.collapse else "log").inc()
        subscription.cursor = target
        return self._ring.place(target)

    def _replay(self, subscription: Subscription, place: int) -> int:
        """Write the ring from a place on; the place reached, which is its end unless the client has enough to read."""
        self._see(subscription)
        for batch in self._ring.since(place):
            if subscription.sink.pending() > self._settings.client_budget:
                break
            subscription.replay(batch)
            subscription.cursor = batch.cursor or subscription.cursor
            place += 1
        return place

    def _see(self, subscription: Subscription) -> None:
        subscription.see(self._tailer.members.boards(subscription.principal.user_id))

    def _reset(self, subscription: Subscription, fault: Fault) -> None:
        self._metrics.resets.labels(fault).inc()
        cursor = str(self._tailer.cursor)
        body = message("reset", reason=fault, cursor=cursor)
        subscription.sink.write(subscription.encoding.message("reset", body, cursor))

    async def _drained(self, subscription: Subscription) -> bool:
        """Wait until the client has read most of what it was written; False where it does not, and is dropped."""
        if not await self._drains(subscription, self._settings.drain_timeout):
            self._metrics.slow.labels("dropped").inc()
            self._metrics.closed.labels(TOO_SLOW.name).inc()
            subscription.sink.abort()
            return False
        return subscription.state is State.BEHIND

    async def _drains(self, subscription: Subscription, seconds: float) -> bool:
        enough = self._settings.client_budget // 2
        try:
            async with asyncio.timeout(seconds):
                while subscription.sink.pending() > enough:  # noqa: ASYNC110 - transports have no public event for it
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            return False
        return True

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Connection]:
        async with self._turn, self._pool.connection() as conn, conn.transaction():
            async with asyncio.timeout(_PATIENCE):
                await conn.execute(_READING)
            yield conn

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
            self._ring.forget()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A mistake of ours in one client's stream: it comes back with its cursor, and nobody else is touched.
            log.error("catching up failed", exc_info=error)
            subscription.sink.abort()
