"""`boardcast log --follow`: the log of changes, as it is written.

Invariant: exactly the changes that the cursor has not seen are shown, in commit order, each once. A read notes which changes there
are, and ends before the first of them is shown. NOTIFY only makes the next read start sooner; without it, one starts every second.
A slow reader of the output blocks nobody: while it stalls, the session neither LISTENs nor holds a snapshot.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from contextlib import AsyncExitStack, aclosing
from itertools import islice
from typing import NamedTuple

import psycopg

from cli import stdout
from cli.connect import database_url
from cli.formatting import format_change
from cli.log_query import LogOptions, LogQuery, parse
from cli.reconnect import Reconnect, notice
from db.changelog import entries
from db.changelog.changes import tune_log_reads
from db.changelog.entries import Entry
from db.changelog.positions import identify_feed, read_position, read_proof
from db.connection import PsycopgConnection
from db.readiness import require_ready
from db.settings import Settings
from feed.system.database import connect
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
        """All that it covers has been shown, except for the backlog and what is pending."""
        self._pending: deque[int] = deque()
        """The seqs of changes that were read and not shown yet."""
        self._backlog_from = 0
        """The first seq of the backlog that has not been shown."""
        self._backlog_limit: int | None = None
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
        self._cursor = here
        if not has_anchor:
            self._pending.clear()
        return False

    async def _follow(self, conns: Connections) -> None:
        checked = time.monotonic()
        while True:
            await self._show_backlog(conns.lookup)
            await self._show_pending(conns.lookup)
            await self._read(conns.reader)
            if not self._pending:
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

    async def _show_pending(self, conn: PsycopgConnection) -> None:
        while part := list(islice(self._pending, _CHUNK)):
            lines = await entries.by_seq(conn, self._query.filters, part)
            for _ in part:
                self._pending.popleft()
            await self._show(conn, lines)

    async def _read(self, conn: PsycopgConnection) -> None:
        """Note the changes that are visible now and were not visible at the cursor."""
        cursor = self._cursor
        if cursor is None:
            return
        target = Cursor.at(cursor.feed, await read_position(conn))
        if target.seen != cursor.seen:
            self._pending.extend([seq async for seq in entries.unseen(conn, cursor.seen, target.seen)])
        self._cursor = target

    async def _show(self, conn: PsycopgConnection, lines: list[Entry]) -> None:
        """Print the lines. While the reader of the output stalls, `conn` does not LISTEN."""
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

    async def _wait(self, conn: PsycopgConnection) -> None:
        """Wait for NOTIFY, or a second."""
        stdout.is_writable()  # ends the command if the reader is gone
        async with aclosing(conn.notifies(timeout=_READ_INTERVAL, stop_after=1)) as notifications:
            async for _ in notifications:
                pass
