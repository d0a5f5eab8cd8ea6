"""Recovery: one client's way from its cursor to live.

Invariant: a client goes live at the end of the replay buffer, having been sent everything up to there, once, with
nothing awaited in between. What the replay buffer no longer holds is read by the tailer's own query, up to the hub's
cursor; a cursor is proven in the same snapshot that it is read in. A read that fails in the middle is taken up where it
was left; a client that cannot be sent the rest of a batch of which it holds a part is disconnected, and comes back with
its cursor.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db.settings import Settings
from feed.delivery.connections import Connections
from feed.delivery.replay_buffer import ReplayBuffer
from feed.delivery.rights import Rights, before
from feed.delivery.subscription import Subscription
from feed.presence.tracker import PresenceTracker
from feed.recovery.backpressure import Backpressure
from feed.recovery.log_read import FaultyError, LogRead, ReadRequest
from feed.recovery.shared_reads import SharedReads
from feed.system.backoff import backoff
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.batch import Boards
from feed.wire.cursor import Cursor, Fault
from feed.wire.event import Grant

_GRACE = 0.2
"""Seconds that a reader waits for its client to take what was read, before another client has its turn."""
_REPLAYED = 32 * 1024 * 1024
"""Bytes written from the replay buffer after which the encoded forms of its batches are dropped, and made again where needed."""

log = structlog.get_logger()


class Recovery:
    def __init__(
        self,
        settings: Settings,
        tailer: Tailer,
        buffer: ReplayBuffer,
        connections: Connections,
        shared_reads: SharedReads,
        presence: PresenceTracker,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._tailer = tailer
        self._buffer = buffer
        self._connections = connections
        self._shared_reads = shared_reads
        self._presence = presence
        self._metrics = metrics
        self._backpressure = Backpressure(settings, metrics)
        self._replayed = 0

    async def prove(self, subscription: Subscription, asked: str) -> Fault | None:
        """Set a new client's cursor, once the hub has reached it; or why it cannot be resumed from."""
        try:
            subscription.cursor = Cursor.parse(asked)
        except ValueError:
            return Fault.MALFORMED
        if self._buffer.place(subscription.cursor) is not None:
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

    async def run(self, subscription: Subscription, source: str) -> None:
        """From the subscription's cursor to live; `source` says from where, unless more has to be read than is thought."""
        if subscription.torn is not None and not await self._finish(subscription):
            return
        place = None if subscription.collapse else self._stand(subscription)
        waits = backoff()
        while await self._backpressure.drained(subscription):
            if place is not None and self._buffer.holds(place):
                place = self._replay(subscription, place)
                if place == self._buffer.end:
                    self._go_live(subscription, source)
                    return
                continue
            if subscription.owed:
                self._backpressure.drop(subscription)  # the rest of the batch that it holds a part of is forgotten here
                return
            try:
                target, read = await self._read(subscription)
            except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
                _warn(subscription, error)
                await asyncio.sleep(next(waits))
                continue
            if target is not None:
                subscription.cursor, source, waits = target, read, backoff()
                place = self._stand(subscription)

    def reset(self, subscription: Subscription, fault: Fault) -> None:
        """Tell a client that it has to begin anew, where the hub stands."""
        self._metrics.resets.labels(fault).inc()
        log.debug("a cursor cannot be resumed from", connection=subscription.id, reason=fault)
        self.see(subscription)
        # What changed in its user's rights up to here is never sent: it learns from this what it sees.
        boards = sorted(subscription.offered)
        subscription.tell_place("reset", str(self._tailer.cursor), reason=fault, boards=boards)
        subscription.owed, subscription.torn, subscription.begun = False, None, False  # it drops what it holds

    def see(self, subscription: Subscription) -> None:
        """Set what a client's user sees now."""
        subscription.see(self._tailer.publisher.memberships.boards(subscription.principal.user_id))

    def forget(self) -> None:
        """Drop the bytes that the replay buffer's batches were encoded to."""
        self._replayed = 0
        self._buffer.forget()

    async def _begin(self, subscription: Subscription) -> LogRead:
        """What came after a client's cursor. Raises what SharedReads.reach() does."""
        await self._shared_reads.reach(subscription.cursor)
        return self._shared_reads.begin(self._request(subscription))

    def _go_live(self, subscription: Subscription, source: str) -> None:
        subscription.collapse = False
        subscription.stand(Rights(subscription.principal.user_id, subscription.visible))
        self._metrics.catchups.labels(source).inc()
        self._connections.go_live(subscription)
        self._connections.confirm(subscription, self._tailer.publisher.rest)
        subscription.tell("presence_state", presence=self._presence.state(subscription.boards))

    def _stand(self, subscription: Subscription) -> int | None:
        """Where in the replay buffer a client's cursor stands, with the rights of that place; None where it is not held."""
        place = self._buffer.place(subscription.cursor)
        if place is not None:
            self.see(subscription)
            self._set_rights(subscription, subscription.visible, self._buffer.grants(place))
        return place

    def _set_rights(
        self, subscription: Subscription, visible: Boards, changes: Sequence[Grant], later: Sequence[Grant] = ()
    ) -> None:
        """Set the rights at the place where a replay of `changes`, then of `later` ones, begins; after `changes` come `visible`.

        If the client already knows some rights, those are kept: a grant may have been held back because a later change repeats it.
        """
        user = subscription.principal.user_id
        boards = subscription.rights.boards if subscription.begun else before(user, visible, changes)
        subscription.begun = True
        subscription.stand(Rights(user, boards, [*changes, *later]))

    async def _finish(self, subscription: Subscription) -> bool:
        """Send the rest of the batch in which a client fell behind; False where it is gone, or must come back with its cursor.

        It holds what it was sent of that batch, so the batch is neither sent again nor collapsed.
        """
        while subscription.torn is not None and await self._backpressure.drained(subscription):
            place, start = subscription.torn
            if not self._buffer.holds(place):
                self._backpressure.drop(subscription)
                break
            self.see(subscription)
            for batch in self._buffer.since(place):
                if subscription.sink.pending() > self._settings.client_budget:
                    break
                subscription.replay(batch.after(start))
                place, start = place + 1, 0
                if batch.cursor is not None:
                    subscription.cursor, subscription.torn = batch.cursor, None
                    return True
            subscription.torn = place, start
            if place == self._buffer.end:
                # The batch is still being published: the rest of it comes live.
                subscription.torn = None
                self._go_live(subscription, "ring")
        return False

    async def _read(self, subscription: Subscription) -> tuple[Cursor | None, str]:
        """Send what the log has from a client's cursor to the hub's: that, if the client takes it all, and what was done."""
        source = "collapsed" if subscription.collapse else "log"
        try:
            reading = await self._begin(subscription)
            request, later = self._request(subscription), self._buffer.grants(self._buffer.place(reading.target) or 0)
            there = before(subscription.principal.user_id, subscription.visible, later)
            await reading.ended.wait()
            reading.check()
            self._set_rights(subscription, there, reading.grants, later)
            return await self._write(subscription, request, reading), source
        except FaultyError as error:
            target = self._tailer.cursor
            self.reset(subscription, error.fault)
            return target, "reset"

    async def _write(self, subscription: Subscription, request: ReadRequest, reading: LogRead) -> Cursor | None:
        """What is shared, then what is not; where it leads to, if the client takes it all."""
        for batch in reading.batches:
            self.see(subscription)
            subscription.replay(batch)
            if not await self._backpressure.drained(subscription):
                return None
        after, waits = reading.end, backoff()
        while after is not None:
            try:
                async with aclosing(self._shared_reads.remainder(request, reading, after)) as parts:
                    async for batch, place in parts:
                        self.see(subscription)
                        subscription.replay(batch)
                        after, waits = place if batch.cursor is None else None, backoff()
                        if not await self._backpressure.drains(subscription, _GRACE):
                            # Its socket is slow: others have the turn meanwhile, and this read is taken up where it was left.
                            break
            except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
                _warn(subscription, error)
                await asyncio.sleep(next(waits))
            if not await self._backpressure.drained(subscription):
                return None
        return reading.target

    def _replay(self, subscription: Subscription, place: int) -> int:
        """Write the replay buffer from a place on; the place reached, which is its end unless the client has enough to read."""
        self.see(subscription)
        for batch in self._buffer.since(place):
            if subscription.sink.pending() > self._settings.client_budget:
                break
            subscription.replay(batch)
            subscription.cursor = batch.cursor or subscription.cursor
            place += 1
            self._replayed += batch.size
        if self._replayed > _REPLAYED:
            self.forget()
        return place

    def _request(self, subscription: Subscription) -> ReadRequest:
        self.see(subscription)
        return ReadRequest(subscription.cursor, subscription.offered, subscription.collapse)


def _warn(subscription: Subscription, error: Exception) -> None:
    log.warning(
        "client cannot catch up yet; trying again",
        connection=subscription.id,
        cursor=str(subscription.cursor),
        error=str(error).strip(),
    )
