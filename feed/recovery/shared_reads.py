"""Shared reads of the log: clients that return with the same cursor, for the same boards, cost one read.

Invariant: a read leads from its cursor to `target`, a head from which the replay buffer continues, or to `end` on the way
there. The cursor is validated in the snapshot that it is read in. The head covers the cursor before rights are looked up,
so rights are never older than what is read. Requests for a read that is running or was recently finished get that read,
and share its encoded bytes. Only a bounded part of a read is shared and cached; each client reads the remainder alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog

from db.changelog.changes import read_changes
from db.changelog.memberships import read_membership_changes
from db.changelog.positions import read_proof
from db.changelog.transactions import begin_log_read, tune_log_read
from db.connection import Connection
from db.settings import Settings
from feed.delivery.replay_buffer import ReplayBuffer
from feed.recovery.log_read import InvalidCursorError, LogRead, Parts, ReadPosition, ReadRequest
from feed.recovery.read_timeouts import ReadTimeouts
from feed.system.database import Pool
from feed.system.tasks import end
from feed.tailing.replica import Replica, ReplicaReadError
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.batch import Batch
from feed.wire.cursor import Cursor
from feed.wire.event import Event, Grant

_QUERY_TIMEOUT = 60.0
"""Seconds for a query, after which its connection is considered dead."""
_MAX_CONCURRENT = 4
"""Maximum concurrent reads of the log; others wait."""
_EVENTS_PER_PART = 250
"""Events per part. The event loop is blocked while a part is decoded and written."""
_MAX_SHARED_BYTES = 256 * 1024
"""Bytes of events that are read for all requests together."""
_MAX_CACHED_BYTES = 16 * 1024 * 1024
"""Bytes of shared events to cache. With their encoded forms they take twice as much."""
_CACHE_SECONDS = 10.0
"""Seconds to cache a read."""
_KEEP_OPEN_SECONDS = 0.1
"""Seconds to keep the remainder of a read open, if other reads need not wait for it."""

log = structlog.get_logger()


class SharedReads:
    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        tailer: Tailer,
        buffer: ReplayBuffer,
        metrics: Metrics,
        replica: Replica | None = None,
    ) -> None:
        self._settings = settings
        self._replica = replica
        self._pool = pool
        self._tailer = tailer
        self._buffer = buffer
        self._metrics = metrics
        self._semaphore = asyncio.Semaphore(_MAX_CONCURRENT)
        self._reads: dict[ReadRequest, LogRead] = {}
        self._validations: dict[Cursor, asyncio.Task[None]] = {}
        self._timeouts = ReadTimeouts()
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
            parts = self._read_parts(request, log_read, after)
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
            async with self._primary_connection() as conn:
                await _validate(conn, cursor)
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
        parts = self._read_parts(request, log_read, None)
        kept_open = False
        try:
            await self._read_shared(request, log_read, parts)
            kept_open = log_read.error is None and log_read.end is not None and not self._semaphore.locked()
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

    async def _read_parts(self, request: ReadRequest, log_read: LogRead, after: ReadPosition | None) -> Parts:
        """Validate the cursor, then yield what came after it and after a position, from the replica if it is used."""
        if (replica := self._usable_replica) is not None:
            try:
                async with (
                    self._replica_connection(replica, request) as conn,
                    aclosing(self._read_from(conn, request, log_read, after)) as parts,
                ):
                    async for part in parts:
                        yield part
                        after = part[1]
            except ReplicaReadError:
                log.debug("replica read continues on the primary")
            else:
                return
        async with self._primary_connection() as conn:
            await _validate(conn, request.cursor)
            async with aclosing(self._read_from(conn, request, log_read, after)) as parts:
                async for part in parts:
                    yield part

    async def _read_from(
        self, conn: Connection, request: ReadRequest, log_read: LogRead, after: ReadPosition | None
    ) -> Parts:
        since, until = request.cursor.seen, log_read.target.seen
        if not log_read.validated.is_set():
            if since != until:
                async with asyncio.timeout(_QUERY_TIMEOUT):
                    changes = await read_membership_changes(conn, since, until)
                log_read.grants = [grant for change in changes if (grant := Grant.of(change)) is not None]
            log_read.validated.set()
        if since == until:
            return
        chunks = read_changes(
            conn,
            since,
            until,
            request.boards,
            collapsed=request.collapsed,
            threshold=self._settings.resync_threshold,
            chunk=min(self._settings.chunk_rows, _EVENTS_PER_PART),
            after=after,
        )
        async with aclosing(chunks), aclosing(self._timeouts.read(conn, request, chunks)) as parts:
            async for part in parts:
                events = [Event.of(change) for change in part.changes]
                yield Batch(events, log_read.target if part.last else None), part.end or after or (0, 0)

    @asynccontextmanager
    async def _primary_connection(self) -> AsyncIterator[Connection]:
        async with self._semaphore, self._pool.connection() as conn, conn.transaction():
            async with asyncio.timeout(_QUERY_TIMEOUT):
                await begin_log_read(conn, tuned=True)
            yield conn

    @property
    def _usable_replica(self) -> Replica | None:
        return self._replica if self._replica is not None and self._replica.used else None

    @asynccontextmanager
    async def _replica_connection(self, replica: Replica, request: ReadRequest) -> AsyncIterator[Connection]:
        """Like _primary_connection(), but on the replica, once it has replayed what the head covers. Raises ReplicaReadError."""
        async with self._semaphore:
            lsn = self._tailer.head_lsn or (await replica.horizon()).written
            async with replica.read_after(lsn) as conn:
                async with asyncio.timeout(_QUERY_TIMEOUT):
                    # A prepared statement cannot hold several commands.
                    await tune_log_read(conn)
                try:
                    await _validate(conn, request.cursor)
                except InvalidCursorError as error:
                    # Only the primary may know this cursor yet, so the primary decides.
                    raise ReplicaReadError("doubted", error.fault) from error
                yield conn

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


async def _validate(conn: Connection, cursor: Cursor) -> None:
    async with asyncio.timeout(_QUERY_TIMEOUT):
        fault = cursor.fault(await read_proof(conn, cursor.anchor))
    if fault is not None:
        raise InvalidCursorError(fault)
