"""`boardcast log --follow`: the log of changes, as it is written.

Invariant: exactly the changes that the cursor has not seen are shown, in commit order, each once. A read that breaks off continues
where it stopped, up to the same end. NOTIFY only makes the next read start sooner; without it, one starts every second. A slow
reader of the output blocks nobody: while it stalls, the session neither LISTENs nor holds a snapshot.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import NamedTuple

import psycopg

from cli import stdout
from cli.connect import database_url
from cli.formatting import format_change
from cli.log_query import NO_LIMIT, LogOptions, LogQuery, parse
from cli.reconnect import Reconnect, notice
from db.changelog import entries
from db.changelog.changes import Chunk, read_changes, tune_log_reads
from db.changelog.entries import Entry
from db.changelog.positions import identify_feed, read_position, read_proof
from db.connection import PsycopgConnection
from db.settings import Settings
from feed.system.database import connect, require_ready
from feed.tailing.tailer import CHANNEL
from feed.wire.cursor import Cursor

_NAME = "boardcast-log"
_READ_INTERVAL = 1.0
_CHECK_INTERVAL = 5.0
"""Seconds after which the log history is checked again: somebody may have run `boardcast reset-feed`."""
_QUERY_TIMEOUT = 10.0
"""Seconds for a query that returns one row."""
_READ_TIMEOUT = 60.0
"""Seconds without data from the server after which a read has failed."""
_NO_BACKLOG = 2**63 - 1
_CHUNK = 500


class Connections(NamedTuple):
    """`reader` is busy while a read lasts; `lookup` fetches the rows to show, and LISTENs."""

    reader: PsycopgConnection
    lookup: PsycopgConnection


class StalledError(Exception):
    """The reader of the output stalls, so the read gives up its snapshot."""


def run(settings: Settings, options: LogOptions) -> None:
    """Show the rows that are asked for and then new ones, until the process is stopped."""
    # Reconnect reports what happens to connections.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    asyncio.run(Follow(settings, options).run())


class Follow:
    def __init__(self, settings: Settings, options: LogOptions) -> None:
        self._settings = settings
        self._options = options
        self._query: LogQuery
        self._reconnect = Reconnect()
        self._cursor: Cursor | None = None
        """All that it covers has been shown, except for the backlog."""
        self._backlog_from = 0
        """The first seq of the backlog that has not been shown."""
        self._backlog_limit: int | None = None
        self._target: Cursor | None = None
        """Where an unfinished read ends."""
        self._after: tuple[int, int] | None = None
        """How far the unfinished read has come."""
        self._complete = True
        """Whether the changes that were written during the last outage will be shown."""

    async def run(self) -> None:
        while True:
            async with AsyncExitStack() as stack:
                conns = await self._reconnect.connect(lambda: self._connect(stack))
                self._reconnect.restored(complete=self._complete)
                try:
                    await self._follow(conns)
                except (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError) as error:
                    self._reconnect.lost(error)

    async def _connect(self, stack: AsyncExitStack) -> Connections:
        """Open both connections, and check that the log is the one that the cursor belongs to."""
        await stack.aclose()
        url = self._settings.listen_database or database_url(self._settings)
        async with asyncio.timeout(_READ_TIMEOUT), AsyncExitStack() as opened:
            reader = await connect(url, _NAME, read_timeout=_READ_TIMEOUT)
            opened.push_async_callback(reader.close)
            lookup = await connect(url, _NAME, read_timeout=_READ_TIMEOUT)
            opened.push_async_callback(lookup.close)
            await require_ready(reader)
            await tune_log_reads(reader)
            await lookup.execute("SET TimeZone = 'UTC'")
            if self._cursor is None:
                self._query = await parse(lookup, self._options)
                await self._start(lookup)
            else:
                self._complete = await self._check_history(reader, self._cursor)
            await lookup.execute(f"LISTEN {CHANNEL}")
            stack.push_async_exit(opened.pop_all())
        return Connections(reader, lookup)

    async def _start(self, conn: PsycopgConnection) -> None:
        """Start at the given cursor, or at the current position with a backlog."""
        feed = await identify_feed(conn)
        if isinstance(self._query.since, Cursor):
            self._cursor = self._query.since
            self._backlog_from = _NO_BACKLOG
        else:
            self._cursor = Cursor.at(feed, await read_position(conn))
            self._backlog_from, self._backlog_limit = self._query.since, self._query.limit

    async def _check_history(self, conn: PsycopgConnection, cursor: Cursor) -> bool:
        """Whether the cursor is still valid. If not, continue after its newest row, or else with new changes only."""
        feed = await identify_feed(conn)
        proof = await read_proof(conn, cursor.anchor)
        fault = cursor.fault(proof)
        if fault is None:
            return True
        here = Cursor.at(feed, await read_position(conn))
        has_anchor = Cursor(feed, cursor.seen, cursor.anchor, cursor.tag).fault(proof) is None
        place = f"after change {cursor.anchor}" if has_anchor else "with new changes only"
        notice(f"log history changed ({fault}); continuing {place}")
        self._backlog_from = cursor.anchor + 1 if has_anchor else _NO_BACKLOG
        self._backlog_limit = None
        self._cursor, self._target, self._after = here, None, None
        return False

    async def _follow(self, conns: Connections) -> None:
        checked = time.monotonic()
        while True:
            await self._show_backlog(conns.lookup)
            with contextlib.suppress(StalledError):
                await self._read(conns)
                await self._wait(conns.lookup)
            if time.monotonic() - checked > _CHECK_INTERVAL and self._cursor is not None:
                async with asyncio.timeout(_QUERY_TIMEOUT):
                    await self._check_history(conns.reader, self._cursor)
                checked = time.monotonic()

    async def _show_backlog(self, conn: PsycopgConnection) -> None:
        """Show the older rows that the cursor covers. A read shows the others."""
        cursor = self._cursor
        if cursor is None or self._backlog_from == _NO_BACKLOG:
            return
        first, high = await entries.seq_bounds(conn)
        low = max(self._backlog_from, first)
        if self._backlog_limit is not None:
            lines = await entries.newest(conn, self._query.filters, low=low, high=high, limit=self._backlog_limit)
            self._backlog_from = _NO_BACKLOG
            await self._show(conn, [line for line in lines if int(line["xid"]) in cursor.seen])
        else:
            async for line in entries.in_range(conn, self._query.filters, low=low, high=high):
                self._backlog_from = line["seq"] + 1
                if int(line["xid"]) in cursor.seen:
                    await self._show(conn, [line])
        self._backlog_from = _NO_BACKLOG

    async def _read(self, conns: Connections) -> None:
        """Show the changes that are visible now and were not visible at the cursor."""
        cursor = self._cursor
        if cursor is None:
            return
        if self._target is None:
            async with asyncio.timeout(_QUERY_TIMEOUT):
                target = Cursor.at(cursor.feed, await read_position(conns.reader))
            if target.seen == cursor.seen:
                return
            self._target, self._after = target, None
        async with asyncio.timeout(_READ_TIMEOUT) as deadline:
            clock = asyncio.get_running_loop().time
            async with aclosing(self._chunks(conns.reader, cursor, self._target)) as chunks:
                async for chunk in chunks:
                    seqs = [change.seq for change in chunk.changes]
                    lines = await entries.by_seq(conns.lookup, self._query.filters, seqs)
                    self._after = chunk.end or self._after
                    deadline.reschedule(None)
                    stalled = await self._show(conns.lookup, lines)
                    if stalled and not chunk.last:
                        raise StalledError
                    deadline.reschedule(clock() + _READ_TIMEOUT)
        self._cursor, self._target, self._after = self._target, None, None

    def _chunks(self, conn: PsycopgConnection, cursor: Cursor, target: Cursor) -> AsyncGenerator[Chunk]:
        return read_changes(conn, cursor.seen, until=target.seen, threshold=NO_LIMIT, chunk=_CHUNK, after=self._after)

    async def _show(self, conn: PsycopgConnection, lines: list[Entry]) -> bool:
        """Print the lines. Returns whether the reader stalled; while it does, `conn` does not LISTEN."""
        stalled = False

        async def on_stall() -> None:
            nonlocal stalled
            stalled = True
            with contextlib.suppress(psycopg.Error):  # the line that is being written is written to its end
                await conn.execute(f"UNLISTEN {CHANNEL}")

        for line in lines:
            await stdout.write(format_change(line, json=self._query.json), on_stall)
        if stalled:
            await conn.execute(f"LISTEN {CHANNEL}")
        return stalled

    async def _wait(self, conn: PsycopgConnection) -> None:
        """Wait for NOTIFY, or a second."""
        stdout.is_writable()  # ends the command if the reader is gone
        async with aclosing(conn.notifies(timeout=_READ_INTERVAL, stop_after=1)) as notifications:
            async for _ in notifications:
                pass
