"""The log reader: one read pass takes the new changes from the fastest source, and publishes them.

The sources, in order: the result of the prefetch (feed/tailing/prefetch.py), the standby if one is configured
(feed/tailing/replica.py), the tailer's own connection.

Invariant: nothing is published twice, and after a pass the head covers everything that the pass's snapshot shows, even if the
pass found no changes. If a pass fails after its first chunk, it is completed before the next one begins: up to the same
snapshot, from where its last chunk ended.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple

from db.changelog import replica
from db.changelog.changes import Chunk, read_changes
from db.changelog.positions import Seen
from db.connection import Connection
from db.settings import Settings
from feed.delivery.publisher import Publisher
from feed.system.database import iterate_with_timeout
from feed.tailing.prefetch import Prefetch
from feed.tailing.replica import Replica, ReplicaReadError
from feed.wire.cursor import parse_snapshot, snapshot_text

PROGRESS_TIMEOUT = 5.0
"""Seconds that a query, or the wait for the next rows of a read, may take before the connection is considered dead."""


class LogReplacedError(Exception):
    """This is no longer the log that was followed: it belongs to another feed, or was pruned before it was read."""


class _UnfinishedPass(NamedTuple):
    """A pass that is not finished: its snapshot, its newest transaction so far, and where its last chunk ended."""

    snapshot: str
    last_xid: int | None
    end: tuple[int, int]


class LogReader:
    def __init__(self, settings: Settings, publisher: Publisher, prefetch: Prefetch, replica: Replica | None) -> None:
        self._settings = settings
        self._publisher = publisher
        self._prefetch = prefetch
        self._replica = replica
        self._unfinished: _UnfinishedPass | None = None
        self.covered: Seen | None = None
        """Snapshot that the last pass covered; None: everything that was committed when the pass began."""
        self.timeout = PROGRESS_TIMEOUT
        """Progress timeout in seconds. The tailer raises it after a pass that timed out: sorting millions of rows takes time."""

    async def read_pass(self, conn: Connection) -> str | None:
        """Publish what was committed since the head. Returns a WAL location by which all of it is written, if the replica was read.

        Raises LogReplacedError, and the errors of the database.
        """
        self._publisher.begin_pass()
        conn.read_timeout = (
            self.timeout - 1
        )  # the timeouts below cancel the statement and then wait for the server to confirm
        if self._unfinished is not None:
            await self._read_primary(conn)
        chunk = await self._prefetch.take()
        if chunk is None and (lsn := await self._read_replica(conn)) is not None:
            return lsn
        if chunk is not None:
            self._publish(chunk)
        else:
            await self._read_primary(conn)
        self.covered = None
        return None

    def prepare_prefetch(self) -> None:
        """Set the prefetch's query to start at the head. The result of an earlier query is dropped."""
        if self._replica is not None and self._replica.used:
            return  # changes are read from the replica instead
        self._prefetch.prepare(
            self._publisher.head.seen, min(self._settings.resync_threshold, self._settings.chunk_rows)
        )

    def discard_unfinished(self) -> None:
        """Forget the pass in progress, because the log was replaced."""
        self._unfinished = None

    async def _read_primary(self, conn: Connection) -> None:
        """Publish everything new, however much it is, or the rest of the unfinished pass."""
        unfinished, clock = self._unfinished, asyncio.get_running_loop().time
        async with asyncio.timeout(self.timeout) as deadline:
            snapshot = unfinished.snapshot if unfinished is not None else (await replica.horizon(conn)).snapshot
            async with aclosing(self._chunks(conn, None if unfinished is None else snapshot, snapshot)) as chunks:
                async for chunk in chunks:
                    self._publish(chunk)
                    deadline.reschedule(clock() + self.timeout)

    async def _read_replica(self, conn: Connection) -> str | None:
        """Publish what the primary shows now, as far as the replica has replayed it.

        Returns the WAL location of the read; None if the replica could not serve it. A pass that fails on the replica after its
        first chunk is finished on the primary.
        """
        if self._replica is None or not self._replica.used:
            return None
        async with asyncio.timeout(self.timeout):
            horizon = await replica.horizon(conn)
        lsn = None
        try:
            async with self._replica.view(horizon, self._publisher.head.seen) as view:
                seen = snapshot_text(view.seen)
                async with aclosing(self._chunks(view.conn, seen, seen)) as chunks:
                    async for chunk in iterate_with_timeout(chunks, self.timeout):
                        self._publish(chunk)
                lsn, self.covered = view.lsn, view.seen
        except ReplicaReadError:
            if self._unfinished is not None:
                await self._read_primary(conn)
        return lsn

    async def _chunks(self, conn: Connection, until: str | None, snapshot: str) -> AsyncGenerator[Chunk]:
        """Chunks that the snapshot `until` shows (None: a new one) and the head does not cover, after those of an unfinished pass.

        A read that finds no rows does not report its snapshot. It covers `snapshot` at least.
        """
        settings, unfinished = self._settings, self._unfinished
        reading = read_changes(
            conn,
            self._publisher.head.seen,
            None if until is None else parse_snapshot(until),
            threshold=settings.resync_threshold,
            chunk=settings.chunk_rows,
            after=None if unfinished is None else unfinished.end,
        )
        async with aclosing(reading) as chunks:
            async for chunk in chunks:
                last_xid = chunk.last_xid if unfinished is None else max(unfinished.last_xid or 0, chunk.last_xid or 0)
                yield chunk._replace(snapshot=until or chunk.snapshot or snapshot, last_xid=last_xid)

    def _publish(self, chunk: Chunk) -> None:
        if chunk.feed is not None and chunk.snapshot is not None:
            head = self._publisher.head
            if chunk.feed != head.feed or head.may_have_missed(chunk.floor_xid, parse_snapshot(chunk.snapshot)):
                raise LogReplacedError
        self._publisher.publish(chunk)
        self._unfinished = None
        if not chunk.last and chunk.snapshot is not None and chunk.end is not None:
            self._unfinished = _UnfinishedPass(chunk.snapshot, chunk.last_xid, chunk.end)
