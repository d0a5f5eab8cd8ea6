"""The log reader: one read pass takes what is new by the quickest way, and publishes it.

The ways, in order: the answer to the question that the notification asked (feed/tailing/prefetch.py), the standby where
one is read (feed/tailing/replica.py), the tailer's own connection.

Invariant: nothing is published twice, and after a pass the head covers all that the pass showed, even if it found nothing. A
pass that fails after its first part is finished before another one begins: up to the snapshot that it began with, from where
its last part ended.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple

from db import changelog, replica
from db.changelog import Chunk, Seen
from db.connection import Connection
from db.settings import Settings
from feed.delivery.publisher import Publisher
from feed.system.database import patiently
from feed.tailing.prefetch import Prefetch
from feed.tailing.replica import Replica, UnfitError
from feed.wire.cursor import shows, text

PATIENCE = 5.0
"""Seconds that a question may take, or a read to its next rows, before its connection is given up as dead."""


class ReplacedError(Exception):
    """The log is not the one that is followed any more: it is another feed's, or was pruned before it was read."""


class _Begun(NamedTuple):
    """A pass that is not finished: the snapshot that it leads to, its newest transaction so far, and where its last part ended."""

    snapshot: str
    last_xid: int | None
    end: tuple[int, int]


class LogReader:
    def __init__(self, settings: Settings, publisher: Publisher, prefetch: Prefetch, replica: Replica | None) -> None:
        self._settings = settings
        self._publisher = publisher
        self._prefetch = prefetch
        self._replica = replica
        self._begun: _Begun | None = None
        self.shown: Seen | None = None
        """What the last pass could show at most; None: all that had been committed when it began."""
        self.patience = PATIENCE
        """The tailer's; longer after a pass that took too long, since to put millions of rows in order takes its time."""

    async def read_pass(self, conn: Connection) -> str | None:
        """Publish what has come since the head. Gives a place in the primary's WAL by which all of it is written, if asked for.

        Raises ReplacedError, and what the database raises.
        """
        self._publisher.begin()
        conn.read_timeout = self.patience - 1  # the timeouts below cancel, and then wait for the server to agree
        if self._begun is not None:
            await self._read(conn)
        part = await self._prefetch.take()
        if part is None and (replayed := await self._read_replica(conn)) is not None:
            return replayed
        if part is not None:
            self._take(part)
        else:
            await self._read(conn)
        self.shown = None
        return None

    def prepare(self) -> None:
        """Have the next notification ask from the head on; an answer to an older question is dropped."""
        if self._replica is not None and self._replica.used:
            return  # it is to be asked there
        self._prefetch.prepare(self._publisher.head.seen, min(self._settings.resync_threshold, self._settings.chunk))

    def forget(self) -> None:
        """The log was replaced: a pass that was begun cannot be finished."""
        self._begun = None

    async def _read(self, conn: Connection) -> None:
        """All that is new, however much it is; or the rest of the pass that was begun."""
        begun, clock = self._begun, asyncio.get_running_loop().time
        async with asyncio.timeout(self.patience) as patience:
            shown = begun.snapshot if begun is not None else (await replica.horizon(conn)).snapshot
            async with aclosing(self._parts(conn, None if begun is None else shown, shown)) as parts:
                async for part in parts:
                    self._take(part)
                    patience.reschedule(clock() + self.patience)

    async def _read_replica(self, conn: Connection) -> str | None:
        """What the primary shows now, as far as the replica has it: up to which place in the WAL; None where that is not to be had.

        What it has begun is finished by the primary.
        """
        if self._replica is None or not self._replica.used:
            return None
        async with asyncio.timeout(self.patience):
            there = await replica.horizon(conn)
        replayed = None
        try:
            async with self._replica.view(there, self._publisher.head.seen) as view:
                seen = text(view.seen)
                async with aclosing(self._parts(view.conn, seen, seen)) as parts:
                    async for part in patiently(parts, self.patience):
                        self._take(part)
                replayed, self.shown = view.lsn, view.seen
        except UnfitError:
            if self._begun is not None:
                await self._read(conn)
        return replayed

    async def _parts(self, conn: Connection, until: str | None, shown: str) -> AsyncGenerator[Chunk]:
        """What a snapshot shows (None: the one of now) and the head has not, behind the last part of a pass that was begun.

        Where nothing is found, a read does not say what it showed: that was `shown` at least.
        """
        settings, begun = self._settings, self._begun
        reading = changelog.read(
            conn,
            self._publisher.head.seen,
            None if until is None else shows(until),
            threshold=settings.resync_threshold,
            chunk=settings.chunk,
            after=None if begun is None else begun.end,
        )
        async with aclosing(reading) as parts:
            async for part in parts:
                last_xid = part.last_xid if begun is None else max(begun.last_xid or 0, part.last_xid or 0)
                yield part._replace(snapshot=until or part.snapshot or shown, last_xid=last_xid)

    def _take(self, part: Chunk) -> None:
        if part.feed is not None and part.snapshot is not None:
            head = self._publisher.head
            if part.feed != head.feed or head.missed(part.floor_xid, shows(part.snapshot)):
                raise ReplacedError
        self._publisher.take(part)
        self._begun = None
        if not part.last and part.snapshot is not None and part.end is not None:
            self._begun = _Begun(part.snapshot, part.last_xid, part.end)
