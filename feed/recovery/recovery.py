"""Recovery: brings one client from its cursor to live.

Invariant: a client goes live at the end of the replay buffer, after everything up to there was sent to it once. Nothing
is awaited between the two. What the replay buffer no longer holds is read with the query of the tailer, up to the head. A
cursor is validated in the snapshot that it is read in. A read that fails in the middle continues where it stopped. A
client that holds part of a batch and cannot be sent the rest is disconnected, and returns with its cursor.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db.settings import Settings
from feed.delivery.connections import Connections
from feed.delivery.rights import Rights, boards_before
from feed.delivery.subscription import Subscription
from feed.presence.tracker import PresenceTracker
from feed.recovery.backpressure import Backpressure
from feed.recovery.log_read import InvalidCursorError, LogRead, ReadRequest
from feed.recovery.shared_reads import SharedReads
from feed.system.backoff import backoff
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.batch import Boards
from feed.wire.cursor import Cursor, Fault
from feed.wire.event import Grant

_YIELD_AFTER = 0.2
"""Seconds that a read waits for its client to take a part, before it lets another client read."""

log = structlog.get_logger()


class Recovery:
    def __init__(
        self,
        settings: Settings,
        tailer: Tailer,
        connections: Connections,
        shared_reads: SharedReads,
        presence: PresenceTracker,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._tailer = tailer
        self._buffer = tailer.publisher.replay_buffer
        self._connections = connections
        self._shared_reads = shared_reads
        self._presence = presence
        self._metrics = metrics
        self._backpressure = Backpressure(settings, metrics)

    async def validate_cursor(self, subscription: Subscription, requested: str) -> Fault | None:
        """Set a new client's cursor once the head covers it. Return a fault if it cannot be resumed from."""
        try:
            subscription.cursor = Cursor.parse(requested)
        except ValueError:
            return Fault.MALFORMED
        if self._buffer.offset_of(subscription.cursor) is not None:
            return None
        for seconds in backoff():
            try:
                log_read = await self._start_read(subscription)
                await log_read.validated.wait()
                log_read.raise_for_error()
            except InvalidCursorError as error:
                return error.fault
            except (psycopg.OperationalError, PoolTimeout, TimeoutError):
                await asyncio.sleep(seconds)
            else:
                return None
        raise AssertionError("backoff() does not end")

    async def run(self, subscription: Subscription, source: str) -> None:
        """Bring a client to live. `source` is reported as where it came from, unless the log has to be read."""
        if subscription.interrupted_at is not None and not await self._finish_batch(subscription):
            return
        offset = None if self._collapses(subscription) else self._locate(subscription)
        waits = backoff()
        while await self._backpressure.drain_or_drop(subscription):
            if offset is not None and self._buffer.holds(offset):
                offset = self._send_buffered(subscription, offset)
                if offset == self._buffer.end:
                    self._go_live(subscription, source)
                    return
                continue
            if subscription.mid_batch:
                self._backpressure.drop(subscription)  # the rest of the batch that it holds part of is gone
                return
            try:
                target, read_source = await self._read_log(subscription)
            except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
                _log_retry(subscription, error)
                await asyncio.sleep(next(waits))
                continue
            if target is not None:
                subscription.cursor, source, waits = target, read_source, backoff()
                offset = self._locate(subscription)

    def reset(self, subscription: Subscription, fault: Fault) -> None:
        """Tell a client to discard its state and start again at the head."""
        self._metrics.resets.labels(fault).inc()
        log.debug("cursor cannot be resumed; resetting client", connection=subscription.id, reason=fault)
        self.refresh_visible(subscription)
        # Earlier changes of rights are not sent: this message says what the user sees now.
        boards = sorted(subscription.permitted_boards)
        subscription.send_with_cursor("reset", str(self._tailer.head), reason=fault, boards=boards)
        # The client discards what it holds.
        subscription.mid_batch, subscription.interrupted_at = False, None
        subscription.rights_set = False

    def refresh_visible(self, subscription: Subscription) -> None:
        """Update what a client's user sees now."""
        subscription.set_visible(self._tailer.publisher.memberships.boards(subscription.principal.user_id))

    async def _start_read(self, subscription: Subscription) -> LogRead:
        """Start or join a read from a client's cursor. Raises what SharedReads.wait_for_cursor() raises."""
        await self._shared_reads.wait_for_cursor(subscription.cursor)
        return self._shared_reads.get_or_start(self._request(subscription))

    def _go_live(self, subscription: Subscription, source: str) -> None:
        subscription.collapse_from = None
        subscription.set_rights(Rights(subscription.principal.user_id, subscription.visible))
        self._metrics.recoveries.labels(source).inc()
        self._connections.go_live(subscription)
        self._connections.send_subscribed(subscription, self._tailer.publisher.idle_head)
        subscription.send("presence_state", presence=self._presence.state(subscription.boards))

    def _collapses(self, subscription: Subscription) -> bool:
        """Whether to read the log although the replay buffer has what a client needs."""
        offset = self._buffer.offset_of(subscription.cursor)
        if offset is None or subscription.collapse_from is None:
            return False
        return self._buffer.events_since(offset) >= subscription.collapse_from

    def _locate(self, subscription: Subscription) -> int | None:
        """Return the replay buffer offset of a client's cursor and set the rights there; None if it is not held."""
        offset = self._buffer.offset_of(subscription.cursor)
        if offset is not None:
            self.refresh_visible(subscription)
            self._set_rights(subscription, subscription.visible, self._buffer.grants_since(offset))
        return offset

    def _set_rights(
        self, subscription: Subscription, visible: Boards, changes: Sequence[Grant], later: Sequence[Grant] = ()
    ) -> None:
        """Set the rights at the start of a replay of `changes`, after which the user sees `visible`, and then of `later` ones.

        Rights that the client already knows are kept: a grant may have been held back because a later change repeats it.
        """
        user = subscription.principal.user_id
        boards = subscription.rights.boards if subscription.rights_set else boards_before(user, visible, changes)
        subscription.rights_set = True
        subscription.set_rights(Rights(user, boards, [*changes, *later]))

    async def _finish_batch(self, subscription: Subscription) -> bool:
        """Send the rest of the batch in which a client fell behind. Return False if it went live, is gone, or was dropped.

        The client keeps the part that it received, so the batch is neither sent again nor collapsed.
        """
        while subscription.interrupted_at is not None and await self._backpressure.drain_or_drop(subscription):
            offset, start = subscription.interrupted_at
            if not self._buffer.holds(offset):
                self._backpressure.drop(subscription)
                break
            self.refresh_visible(subscription)
            for batch in self._buffer.since(offset):
                if subscription.sink.pending() > self._settings.client_budget:
                    break
                subscription.replay(batch.tail(start))
                offset, start = offset + 1, 0
                if batch.cursor is not None:
                    subscription.cursor, subscription.interrupted_at = batch.cursor, None
                    return True
            subscription.interrupted_at = offset, start
            if offset == self._buffer.end:
                # The batch is still being published: the client receives the rest of it live.
                subscription.interrupted_at = None
                self._go_live(subscription, "buffer")
        return False

    async def _read_log(self, subscription: Subscription) -> tuple[Cursor | None, str]:
        """Send the log from a client's cursor to the head. Return the cursor reached, if any, and the source."""
        try:
            log_read = await self._start_read(subscription)
            request = self._request(subscription)
            later = self._buffer.grants_since(self._buffer.offset_of(log_read.target) or 0)
            boards_at_target = boards_before(subscription.principal.user_id, subscription.visible, later)
            await log_read.finished.wait()
            log_read.raise_for_error()
            self._set_rights(subscription, boards_at_target, log_read.grants, later)
            source = "collapsed" if log_read.collapsed else "log"
            return await self._send_read(subscription, request, log_read), source
        except InvalidCursorError as error:
            target = self._tailer.head
            self.reset(subscription, error.fault)
            return target, "reset"

    async def _send_read(self, subscription: Subscription, request: ReadRequest, log_read: LogRead) -> Cursor | None:
        """Send the shared part of a read, then its remainder. Return the cursor reached, or None if the client is gone."""
        for batch in log_read.batches:
            self.refresh_visible(subscription)
            subscription.replay(batch)
            if not await self._backpressure.drain_or_drop(subscription):
                return None
        after, waits = log_read.end, backoff()
        while after is not None:
            try:
                async with aclosing(self._shared_reads.read_remainder(request, log_read, after)) as parts:
                    async for batch, position in parts:
                        self.refresh_visible(subscription)
                        subscription.replay(batch)
                        after, waits = position if batch.cursor is None else None, backoff()
                        if not await self._backpressure.drained_within(subscription, _YIELD_AFTER):
                            # The socket is slow: let other clients read, and continue this read from here later.
                            break
            except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
                _log_retry(subscription, error)
                await asyncio.sleep(next(waits))
            if not await self._backpressure.drain_or_drop(subscription):
                return None
        return log_read.target

    def _send_buffered(self, subscription: Subscription, offset: int) -> int:
        """Write the replay buffer from an offset. Return the offset reached: the end, unless the client has enough to read."""
        self.refresh_visible(subscription)
        replayed_bytes = 0
        for batch in self._buffer.since(offset):
            if subscription.sink.pending() > self._settings.client_budget:
                break
            subscription.replay(batch)
            subscription.cursor = batch.cursor or subscription.cursor
            offset += 1
            replayed_bytes += batch.size
        self._buffer.count_replayed(replayed_bytes)
        return offset

    def _request(self, subscription: Subscription) -> ReadRequest:
        self.refresh_visible(subscription)
        return ReadRequest(subscription.cursor, subscription.permitted_boards, subscription.collapse_from)


def _log_retry(subscription: Subscription, error: Exception) -> None:
    log.warning(
        "recovery read failed; retrying",
        connection=subscription.id,
        cursor=str(subscription.cursor),
        error=str(error).strip(),
    )
