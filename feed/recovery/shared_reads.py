"""Reads of the log that are shared: those who come back with one cursor, for the same boards, cost one of them.

Invariant: a reading leads from its cursor to `target`, a place of the hub's from which the replay buffer goes on, or to
`end` on the way there; the cursor is proven in the same snapshot that it is read in. The hub covers the cursor before
rights are looked up, so they are never older than what is read. Whoever asks for what is being read, or was a moment
ago, is given that, and its bytes are made once for all. Only so many are read for all, and kept: the rest of a long way
is each one's own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog

from db import changelog
from db.connection import Connection
from db.settings import Settings
from db.sqlfiles import sql
from feed.delivery.replay_buffer import ReplayBuffer
from feed.recovery.log_read import FaultyError, LogRead, Parts, ReadPosition, ReadRequest
from feed.recovery.read_timeouts import ReadTimeouts
from feed.system.database import Pool
from feed.system.tasks import end
from feed.tailing.replica import Replica, UnfitError
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.batch import Batch
from feed.wire.cursor import Cursor
from feed.wire.event import Event, Grant

_PATIENCE = 60.0
"""Seconds that a question may take, or a read to its next rows, before its connection is given up as dead."""
_AT_ONCE = 4
"""Readers of the log at a time; the others wait their turn."""
_PART = 250
"""Events at a time: they are made ready, and written, while everybody else waits."""
_SHARED = 256 * 1024
"""Bytes of events that are read for all who ask."""
_KEPT = 16 * 1024 * 1024
"""Bytes of them that are kept for those who come a little later; with what they are encoded to it is twice that."""
_LATER = 10.0
"""Seconds for which they are kept."""
_OPEN = 0.1
"""Seconds for which the way that is left is kept open, if there are turns for others."""
_PLANNED = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET LOCAL work_mem = '32MB'"
_LOCKED = sql("queries/log_lock")
_READING = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {_LOCKED}; {_PLANNED}"
"""A log that has grown since it was last analysed is not to be read from its beginning, nor a plan compiled, for that."""

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
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._known: dict[ReadRequest, LogRead] = {}
        self._proofs: dict[Cursor, asyncio.Task[None]] = {}
        self._timeouts = ReadTimeouts()
        self._kept = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def reach(self, cursor: Cursor) -> None:
        """Wait until the hub covers this cursor and the replay buffer goes on from there. Raises what begin() names.

        The client may come from an instance that is ahead of this one, or from a feed that was reset a moment ago.
        """
        while not self._reached(cursor):
            proof = self._proofs.get(cursor)
            if proof is None:
                proof = self._proofs[cursor] = asyncio.create_task(self._prove(cursor), name="proof")
                self._tasks.add(proof)
                proof.add_done_callback(self._proven)
            await asyncio.shield(proof)
            if cursor.feed != self._tailer.cursor.feed:
                self._tailer.doubt()
                await self._tailer.swept()
                continue
            # Then the hub has all of the log that the cursor covers, though perhaps not its xmax: nothing was logged since.
            await self._tailer.reach(cursor.seen)
            if self._buffer.place(self._tailer.cursor) is not None:
                return

    def begin(self, request: ReadRequest) -> LogRead:
        """What came after a cursor that the hub has reached, or the beginning of it; it may be another client's already.

        Its check() raises FaultyError for a cursor that cannot be resumed from; OperationalError, PoolTimeout, TimeoutError.
        """
        reading = self._known.get(request)
        if reading is not None and self._leads(reading):
            return reading
        if reading is not None:
            self._forget(request, reading)
        reading = self._known[request] = LogRead(self._tailer.cursor)
        task = asyncio.create_task(self._run(request, reading), name="shared read")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return reading

    async def remainder(self, request: ReadRequest, reading: LogRead, after: ReadPosition) -> Parts:
        """The remainder of a read, for one client alone; and with each part, where it ends. Raises what begin() names.

        Who leaves off in the middle gives others the turn, and asks again from there.
        """
        parts = reading.take(after)
        if parts is None:
            self._metrics.reads.labels("alone").inc()
            parts = self._parts(request, reading, after)
        async with aclosing(parts):
            async for part in parts:
                yield part

    def clear(self) -> None:
        """Forget what was read."""
        for request in list(self._known):
            self._forget(request, self._known[request])

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        await end(*self._tasks)
        self.clear()

    async def _prove(self, cursor: Cursor) -> None:
        self._metrics.reads.labels("shared").inc()
        try:
            async with self._reader() as conn:
                await _prove(conn, cursor)
        finally:
            del self._proofs[cursor]

    def _proven(self, proof: asyncio.Task[None]) -> None:
        self._tasks.discard(proof)
        if not proof.cancelled():
            proof.exception()  # raised to those who wait for it, who may all have gone

    def _reached(self, cursor: Cursor) -> bool:
        head = self._tailer.cursor
        return head.feed == cursor.feed and head.covers(cursor) and self._buffer.place(head) is not None

    def _leads(self, reading: LogRead) -> bool:
        return reading.error is not None or self._buffer.place(reading.target) is not None

    async def _run(self, request: ReadRequest, reading: LogRead) -> None:
        self._metrics.reads.labels("shared").inc()
        parts = self._parts(request, reading, None)
        offered = False
        try:
            await self._share(request, reading, parts)
            offered = reading.error is None and reading.end is not None and not self._turn.locked()
            if offered:
                await _offer(reading, parts)
        finally:
            if not offered:
                await parts.aclose()

    async def _share(self, request: ReadRequest, reading: LogRead, parts: Parts) -> None:
        try:
            async for batch, place in parts:
                reading.add(batch, place)
                if reading.size > _SHARED:
                    break
        except Exception as error:  # noqa: BLE001 - it is raised to those who asked
            reading.error = error
            if not isinstance(error, FaultyError):
                self._forget(request, reading)
        finally:
            reading.proven.set()
            reading.ended.set()
        self._keep(request, reading)

    async def _parts(self, request: ReadRequest, reading: LogRead, after: ReadPosition | None) -> Parts:
        """What came after a cursor and is behind a place, from whoever can tell; proven first."""
        if (replica := self._used) is not None:
            try:
                async with (
                    self._standby(replica, request) as conn,
                    aclosing(self._read(conn, request, reading, after)) as parts,
                ):
                    async for part in parts:
                        yield part
                        after = part[1]
            except UnfitError:
                log.debug("a read goes on at the primary, from where the replica left it")
            else:
                return
        async with self._reader() as conn:
            await _prove(conn, request.cursor)
            async with aclosing(self._read(conn, request, reading, after)) as parts:
                async for part in parts:
                    yield part

    async def _read(
        self, conn: Connection, request: ReadRequest, reading: LogRead, after: ReadPosition | None
    ) -> Parts:
        since, until = request.cursor.seen, reading.target.seen
        if not reading.proven.is_set():
            if since != until:
                async with asyncio.timeout(_PATIENCE):
                    changes = await changelog.membership_changes(conn, since, until)
                reading.grants = [grant for change in changes if (grant := Grant.of(change)) is not None]
            reading.proven.set()
        if since == until:
            return
        chunks = changelog.read(
            conn,
            since,
            until,
            request.boards,
            collapsed=request.collapsed,
            threshold=self._settings.resync_threshold,
            chunk=min(self._settings.chunk, _PART),
            after=after,
        )
        async with aclosing(chunks), aclosing(self._timeouts.read(conn, request, chunks)) as parts:
            async for part in parts:
                events = [Event.of(change) for change in part.changes]
                yield Batch(events, reading.target if part.last else None), part.end or after or (0, 0)

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Connection]:
        async with self._turn, self._pool.connection() as conn, conn.transaction():
            async with asyncio.timeout(_PATIENCE):
                await conn.execute(_READING, prepare=False)
            yield conn

    @property
    def _used(self) -> Replica | None:
        return self._replica if self._replica is not None and self._replica.used else None

    @asynccontextmanager
    async def _standby(self, replica: Replica, request: ReadRequest) -> AsyncIterator[Connection]:
        """As _reader(), on the replica, once it has all that the hub's cursor has seen. Raises UnfitError."""
        async with self._turn:
            lsn = self._tailer.replayed or (await replica.horizon()).written
            async with replica.reader(lsn) as conn:
                async with asyncio.timeout(_PATIENCE):
                    await conn.execute(_PLANNED, prepare=False)  # several statements cannot be prepared
                try:
                    await _prove(conn, request.cursor)
                except FaultyError as error:
                    # It may be a place that is known to the primary alone: that has the last word.
                    raise UnfitError("doubted", error.fault) from error
                yield conn

    def _keep(self, request: ReadRequest, reading: LogRead) -> None:
        if self._known.get(request) is not reading:
            return
        self._kept += reading.size
        for oldest in list(self._known):
            if self._kept <= _KEPT:
                break
            if self._known[oldest].ended.is_set():
                self._forget(oldest, self._known[oldest])
        asyncio.get_running_loop().call_later(_LATER, self._forget, request, reading)

    def _forget(self, request: ReadRequest, reading: LogRead) -> None:
        if self._known.get(request) is reading:
            del self._known[request]
            if reading.ended.is_set():
                self._kept -= reading.size


async def _offer(reading: LogRead, parts: Parts) -> None:
    """Leave open for a moment what goes on: a long way is put in order before its first event, and need not be again."""
    reading.remainder = parts
    try:
        await asyncio.sleep(_OPEN)
    finally:
        if (remainder := reading.take(reading.end)) is not None:
            await remainder.aclose()


async def _prove(conn: Connection, cursor: Cursor) -> None:
    async with asyncio.timeout(_PATIENCE):
        fault = cursor.fault(await changelog.proof(conn, cursor.anchor))
    if fault is not None:
        raise FaultyError(fault)
