"""Shared reads of the log: clients that return with the same cursor, for the same boards, cost one read.

Invariant: a read leads from its cursor to `target`, a head from which the replay buffer continues, or to `end` on the way
there. The head covers the cursor before rights are looked up, so rights are never older than what is read. Requests for a
read that is running or was recently finished get that read, and share its encoded bytes. Only a bounded part of a read is
shared and cached; each client reads the remainder alone.
"""

import asyncio
from contextlib import aclosing

from db.settings import Settings
from feed.recovery.log_read import InvalidCursorError, LogRead, Parts, ReadPosition, ReadRequest
from feed.recovery.log_source import LogSource
from feed.system.database import Pool
from feed.system.tasks import end
from feed.tailing.replica import Replica
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import Cursor

_MAX_SHARED_BYTES = 256 * 1024
"""Bytes of events that are read for all requests together."""
_MAX_CACHED_BYTES = 16 * 1024 * 1024
"""Bytes of shared events to cache. With their encoded forms they take twice as much."""
_CACHE_SECONDS = 10.0
"""Seconds to cache a read."""
_KEEP_OPEN_SECONDS = 0.1
"""Seconds to keep the remainder of a read open, if other reads need not wait for it."""


class SharedReads:
    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        tailer: Tailer,
        metrics: Metrics,
        replica: Replica | None = None,
    ) -> None:
        self._source = LogSource(settings, pool, tailer, replica)
        self._tailer = tailer
        self._buffer = tailer.publisher.replay_buffer
        self._metrics = metrics
        self._reads: dict[ReadRequest, LogRead] = {}
        self._validations: dict[Cursor, asyncio.Task[None]] = {}
        self._cached_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def wait_for_cursor(self, cursor: Cursor) -> None:
        """Wait until the head covers this cursor and is in the replay buffer. Raises what get_or_start() names.

        The client may come from an instance that is ahead of this one, or from a feed that was reset a moment ago.
        """
        while not self._head_covers(cursor):
            validation = self._validations.get(cursor)
            if validation is None:
                validation = self._validations[cursor] = asyncio.create_task(
                    self._validate(cursor), name="cursor validation"
                )
                self._tasks.add(validation)
                validation.add_done_callback(self._validation_done)
            await asyncio.shield(validation)
            if cursor.feed != self._tailer.head.feed:
                self._tailer.request_verification()
                await self._tailer.wait_for_pass()
                continue
            # Then the head has everything in the log that the cursor covers. It may lack its xmax: nothing was logged since.
            await self._tailer.wait_for_snapshot(cursor.seen)
            if self._buffer.offset_of(self._tailer.head) is not None:
                return

    def get_or_start(self, request: ReadRequest) -> LogRead:
        """Return the read of a request that the head covers, starting it if no other client did.

        The read may fail: its raise_for_error() raises InvalidCursorError, OperationalError, PoolTimeout or TimeoutError.
        """
        log_read = self._reads.get(request)
        if log_read is not None and self._usable(log_read):
            return log_read
        if log_read is not None:
            self._evict(request, log_read)
        log_read = self._reads[request] = LogRead(self._tailer.head)
        task = asyncio.create_task(self._run(request, log_read), name="shared read")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return log_read

    async def read_remainder(self, request: ReadRequest, log_read: LogRead, after: ReadPosition) -> Parts:
        """Yield the remainder of a read for one client, each part with its end. Raises what get_or_start() names.

        A client that stops in the middle lets others read, and continues from there later.
        """
        parts = log_read.take_remainder(after)
        if parts is None:
            self._metrics.reads.labels("alone").inc()
            parts = self._source.read(request, log_read, after)
        async with aclosing(parts):
            async for part in parts:
                yield part

    def clear(self) -> None:
        """Discard all cached reads."""
        for request in list(self._reads):
            self._evict(request, self._reads[request])

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        await end(*self._tasks)
        self.clear()

    async def _validate(self, cursor: Cursor) -> None:
        self._metrics.reads.labels("shared").inc()
        try:
            await self._source.validate(cursor)
        finally:
            del self._validations[cursor]

    def _validation_done(self, validation: asyncio.Task[None]) -> None:
        self._tasks.discard(validation)
        if not validation.cancelled():
            validation.exception()  # marks it as retrieved: every client that waited for it may be gone

    def _head_covers(self, cursor: Cursor) -> bool:
        head = self._tailer.head
        return head.feed == cursor.feed and head.covers(cursor) and self._buffer.offset_of(head) is not None

    def _usable(self, log_read: LogRead) -> bool:
        return log_read.error is not None or self._buffer.offset_of(log_read.target) is not None

    async def _run(self, request: ReadRequest, log_read: LogRead) -> None:
        self._metrics.reads.labels("shared").inc()
        parts = self._source.read(request, log_read, None)
        kept_open = False
        try:
            await self._read_shared(request, log_read, parts)
            kept_open = log_read.error is None and log_read.end is not None and not self._source.busy
            if kept_open:
                await _keep_open(log_read, parts)
        finally:
            if not kept_open:
                await parts.aclose()

    async def _read_shared(self, request: ReadRequest, log_read: LogRead, parts: Parts) -> None:
        try:
            async for batch, position in parts:
                log_read.add(batch, position)
                if log_read.size > _MAX_SHARED_BYTES:
                    break
        except Exception as error:  # noqa: BLE001 - raised again to every waiting client
            log_read.error = error
            if not isinstance(error, InvalidCursorError):
                self._evict(request, log_read)
        finally:
            log_read.validated.set()
            log_read.finished.set()
        self._cache(request, log_read)

    def _cache(self, request: ReadRequest, log_read: LogRead) -> None:
        if self._reads.get(request) is not log_read:
            return
        self._cached_bytes += log_read.size
        for oldest in list(self._reads):
            if self._cached_bytes <= _MAX_CACHED_BYTES:
                break
            if self._reads[oldest].finished.is_set():
                self._evict(oldest, self._reads[oldest])
        asyncio.get_running_loop().call_later(_CACHE_SECONDS, self._evict, request, log_read)

    def _evict(self, request: ReadRequest, log_read: LogRead) -> None:
        if self._reads.get(request) is log_read:
            del self._reads[request]
            if log_read.finished.is_set():
                self._cached_bytes -= log_read.size


async def _keep_open(log_read: LogRead, parts: Parts) -> None:
    """Keep the remainder open briefly: a long read sorts before its first row, which need not happen twice."""
    log_read.remainder = parts
    try:
        await asyncio.sleep(_KEEP_OPEN_SECONDS)
    finally:
        if (remainder := log_read.take_remainder(log_read.end)) is not None:
            await remainder.aclose()
