"""The source of log reads: reads what came after a cursor, from the replica if one is used, else from the primary.

Invariant: the cursor is validated in the snapshot that it is read in. A read that fails on the replica continues on the primary,
from the position that it reached.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog

from db.changelog.changes import read_changes
from db.changelog.memberships import read_membership_changes
from db.changelog.positions import read_proof, rows_after
from db.changelog.transactions import begin_log_read, tune_log_read
from db.connection import Connection
from db.settings import Settings
from feed.recovery.log_read import InvalidCursorError, LogRead, Parts, ReadPosition, ReadRequest
from feed.recovery.read_timeouts import ReadTimeouts
from feed.system.database import Pool
from feed.tailing.replica import Replica, ReplicaReadError
from feed.tailing.tailer import Tailer
from feed.wire.batch import Batch
from feed.wire.cursor import Cursor, Fault
from feed.wire.event import Event, Grant

_QUERY_TIMEOUT = 60.0
"""Seconds for a query, after which its connection is considered dead."""
_MAX_CONCURRENT = 4
"""Maximum concurrent reads of the log; others wait."""
_EVENTS_PER_PART = 250
"""Events per part. The event loop is blocked while a part is decoded and written."""

log = structlog.get_logger()


class LogSource:
    def __init__(self, settings: Settings, pool: Pool, tailer: Tailer, replica: Replica | None) -> None:
        self._settings = settings
        self._pool = pool
        self._tailer = tailer
        self._replica = replica
        self._semaphore = asyncio.Semaphore(_MAX_CONCURRENT)
        self._timeouts = ReadTimeouts()

    @property
    def busy(self) -> bool:
        """Whether another read would have to wait."""
        return self._semaphore.locked()

    async def validate(self, cursor: Cursor) -> None:
        """Raises InvalidCursorError."""
        async with self.primary_connection() as conn:
            await self._validate(conn, cursor)

    async def read(self, request: ReadRequest, log_read: LogRead, after: ReadPosition | None) -> Parts:
        """Validate the cursor, then yield what came after it and after a position, from the replica if it is used."""
        replica = self._replica
        if replica is not None and replica.used:
            try:
                async with (
                    self._replica_connection(replica, request) as (conn, rows),
                    aclosing(self._read_from(conn, request, log_read, after, rows)) as parts,
                ):
                    async for part in parts:
                        yield part
                        after = part[1]
            except ReplicaReadError:
                log.debug("replica read continues on the primary")
            else:
                return
        async with self.primary_connection() as conn:
            rows = await self._validate(conn, request.cursor)
            async with aclosing(self._read_from(conn, request, log_read, after, rows)) as parts:
                async for part in parts:
                    yield part

    async def _read_from(
        self, conn: Connection, request: ReadRequest, log_read: LogRead, after: ReadPosition | None, rows: int
    ) -> Parts:
        since, until = request.cursor.seen, log_read.target.seen
        if not log_read.validated.is_set():
            # Once for the whole read: a remainder continues at a position among the same events.
            log_read.collapsed = request.collapse_from is not None and rows >= request.collapse_from
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
            collapsed=log_read.collapsed,
            threshold=self._settings.resync_threshold,
            chunk=min(self._settings.chunk_rows, _EVENTS_PER_PART),
            after=after,
        )
        async with aclosing(chunks), aclosing(self._timeouts.read(conn, request, chunks)) as parts:
            async for part in parts:
                events = [Event.of(change) for change in part.changes]
                yield Batch(events, log_read.target if part.last else None), part.end or after or (0, 0)

    async def _validate(self, conn: Connection, cursor: Cursor) -> int:
        """Return the number of rows after the cursor. Raises InvalidCursorError."""
        rows = 0
        async with asyncio.timeout(_QUERY_TIMEOUT):
            fault = cursor.fault(await read_proof(conn, cursor.anchor))
            if fault is None:
                rows = await rows_after(conn, cursor.seen)
                if rows > self._settings.max_resume_rows:
                    fault = Fault.TOO_FAR
        if fault is not None:
            raise InvalidCursorError(fault)
        return rows

    @asynccontextmanager
    async def primary_connection(self) -> AsyncIterator[Connection]:
        async with self._semaphore, self._pool.connection() as conn, conn.transaction():
            async with asyncio.timeout(_QUERY_TIMEOUT):
                await begin_log_read(conn, tuned=True)
            yield conn

    @asynccontextmanager
    async def _replica_connection(
        self, replica: Replica, request: ReadRequest
    ) -> AsyncIterator[tuple[Connection, int]]:
        """Yield a connection to the replica, once it has replayed what the head covers, and the number of rows after the cursor.

        Raises ReplicaReadError.
        """
        async with self._semaphore:
            lsn = self._tailer.head_lsn or (await replica.horizon()).written
            async with replica.read_after(lsn) as conn:
                async with asyncio.timeout(_QUERY_TIMEOUT):
                    # A prepared statement cannot hold several commands.
                    await tune_log_read(conn)
                try:
                    rows = await self._validate(conn, request.cursor)
                except InvalidCursorError as error:
                    # Only the primary may know this cursor yet, so the primary decides.
                    raise ReplicaReadError("doubted", error.fault) from error
                yield conn, rows
