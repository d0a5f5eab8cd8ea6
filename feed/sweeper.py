"""The sweeper: what is new is read by the quickest way that there is, and published.

Invariant: a sweep leads to the cursor of all that it has published, or raises; then the next one publishes it once more, and
readers drop by `seq` what they have. The ways are the answer to what the bell has asked (feed/glance.py), the standby where one is
read (feed/replica.py), and the tailer's own connection.
"""

import asyncio
from contextlib import aclosing

from db import changelog, replica
from db.connection import Connection
from db.settings import Settings
from feed.cursor import Cursor, text
from feed.database import patiently
from feed.glance import Glance
from feed.publisher import Publisher
from feed.replica import Replica, UnfitError

PATIENCE = 5.0
"""Seconds that a question may take, or a read to its next rows, before its connection is given up as dead."""


class Sweeper:
    def __init__(self, settings: Settings, publisher: Publisher, glance: Glance, replica: Replica | None) -> None:
        self._settings = settings
        self._publisher = publisher
        self._glance = glance
        self._replica = replica
        self.patience = PATIENCE
        """The tailer's; longer after a sweep that took too long, since to put millions of rows in order takes its time."""

    async def sweep(self, conn: Connection, since: Cursor) -> tuple[Cursor, str | None]:
        """Publish what has come since then: where that leads to, and a place in the primary's WAL by which all of it is written.

        The latter is None where it was not asked for.
        """
        self._publisher.begin()
        conn.read_timeout = self.patience - 1  # the timeouts below cancel, and then wait for the server to agree
        part = await self._glance.look(since.feed)
        if part is not None:
            cursor, _ = self._publisher.take(part, since, None)
            return cursor, None
        if (there := await self._read_replica(conn, since)) is not None:
            return there
        return await self._read(conn, since), None

    def aim(self, cursor: Cursor) -> None:
        """Have the next doorbell ask from there on; what was asked from elsewhere is not listened to any more."""
        if self._replica is not None and self._replica.used:
            return  # it is to be asked there
        self._glance.aim(cursor.seen, min(self._settings.resync_threshold, self._settings.chunk))

    async def _read(self, conn: Connection, since: Cursor) -> Cursor:
        """All that is new, however much it is."""
        settings, cursor, newest = self._settings, since, None
        reading = changelog.read(conn, since.seen, threshold=settings.resync_threshold, chunk=settings.chunk)
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(self.patience) as patience, aclosing(reading) as parts:
            async for part in parts:
                cursor, newest = self._publisher.take(part, since, newest)
                patience.reschedule(clock() + self.patience)
        return cursor

    async def _read_replica(self, conn: Connection, since: Cursor) -> tuple[Cursor, str] | None:
        """What the primary shows now, as far as the replica has it; None where that is not to be had."""
        if self._replica is None or not self._replica.used:
            return None
        async with asyncio.timeout(self.patience):
            there = await replica.horizon(conn)
        settings, cursor, newest = self._settings, since, None
        whole, replayed = False, there.flushed
        try:
            async with self._replica.sweeper(there, since.seen) as view:
                snapshot, replayed = text(view.seen), view.lsn
                reading = changelog.read(
                    view.conn, since.seen, view.seen, threshold=settings.resync_threshold, chunk=settings.chunk
                )
                async with aclosing(reading) as parts:
                    async for part in patiently(parts, self.patience):
                        named = part if part.snapshot is None else part._replace(snapshot=snapshot)
                        cursor, newest = self._publisher.take(named, since, newest)
                        whole = part.last
        except UnfitError:
            if not whole:
                if self._publisher.found:  # it is read again, from its beginning
                    self._publisher.lost()
                    self._publisher.begin()
                return None
        return cursor, replayed
