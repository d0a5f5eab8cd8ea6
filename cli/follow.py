"""The log of changes as it is written, for as long as somebody reads it.

Invariant: what is shown is exactly what the cursor has seen, in commit order, each change once: a read that breaks off is taken up
where it was, up to the same end. NOTIFY only makes the next read come at once; without it one comes every second. Whoever reads
slowly holds nothing up: the listening ends, and the read is broken off, until he reads on.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import NamedTuple

import psycopg
import stamina

from cli import changeline, pipe
from cli.connect import url_of
from cli.log import Asked, Words, understood
from cli.outage import Outage, say
from db import changelog, loglines
from db.changelog import Chunk, Connection
from db.loglines import Line
from db.settings import Settings
from feed.system.database import connect, require_ready
from feed.tailing.tailer import CHANNEL
from feed.wire.cursor import Cursor

_NAME = "boardcast-log"
_SWEEP = 1.0
_TRUST = 5.0
"""Seconds after which the log is proven again: the feed can be reset by hand."""
_ANSWER = 10.0
"""Seconds in which a small question must be answered."""
_PATIENCE = 60.0
"""Seconds in which a read must begin, or go on."""
_FIRST, _MOST = 0.1, 5.0
"""Seconds between attempts to reach the database."""
_ALL = 2**31 - 1
_END = 2**63 - 1
"""Where there is nothing more to show of what was there before."""
_CHUNK = 500


class Connections(NamedTuple):
    """`reader` is busy as long as a read lasts; `asker` is asked for the rows, and listens."""

    reader: Connection
    asker: Connection


class SlowError(Exception):
    """Nobody takes what is shown: what others wait for is to be let go."""


def run(settings: Settings, words: Words) -> None:
    """Show what is asked for, and then what is written, until it is ended."""
    # What befalls a connection is said by Outage, in a line.
    stamina.instrumentation.set_on_retry_hooks(())
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    asyncio.run(Follow(settings, words).run())


class Follow:
    def __init__(self, settings: Settings, words: Words) -> None:
        self._settings = settings
        self._words = words
        self._asked: Asked
        self._cursor: Cursor | None = None
        """What has been shown, but for what was there before."""
        self._low = 0
        """Up to where that has been shown."""
        self._limit: int | None = None
        """How much of it at most."""
        self._target: Cursor | None = None
        self._after: tuple[int, int] | None = None
        """Of a read that is not at its end: where it ends, and how far it came."""
        self._whole = True
        """Whether all that was written while the database was out of reach will be shown."""
        self._outage = Outage()

    async def run(self) -> None:
        while True:
            retries = stamina.retry_context(
                self._outage.passes,
                attempts=None,
                timeout=None,
                wait_initial=_FIRST,
                wait_max=_MOST,
                wait_jitter=_FIRST,
            )
            async with AsyncExitStack() as stack:
                async for attempt in retries:
                    with attempt:
                        conns = await self._begin(stack)
                self._outage.ends(whole=self._whole)
                try:
                    await self._follow(conns)
                except (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError) as error:
                    self._outage.begins(error)

    async def _begin(self, stack: AsyncExitStack) -> Connections:
        """Two connections to a log that is the one it was."""
        await stack.aclose()
        url = self._settings.listen_database or url_of(self._settings)
        async with asyncio.timeout(_PATIENCE), AsyncExitStack() as opened:
            reader = await connect(url, _NAME, read_timeout=_PATIENCE)
            opened.push_async_callback(reader.close)
            asker = await connect(url, _NAME, read_timeout=_PATIENCE)
            opened.push_async_callback(asker.close)
            await require_ready(reader)
            await changelog.plan(reader)
            await asker.execute("SET TimeZone = 'UTC'")
            if self._cursor is None:
                self._asked = await understood(asker, self._words)
                await self._start(asker)
            else:
                self._whole = await self._prove(reader, self._cursor)
            await asker.execute(f"LISTEN {CHANNEL}")
            stack.push_async_exit(opened.pop_all())
        return Connections(reader, asker)

    async def _start(self, conn: Connection) -> None:
        """Stand where the log stands, or where the cursor that was given does."""
        feed = await changelog.identify(conn)
        if isinstance(self._asked.since, Cursor):
            self._cursor = self._asked.since
            self._low = _END
        else:
            self._cursor = Cursor.at(feed, await changelog.position(conn))
            self._low, self._limit = self._asked.since, self._asked.limit

    async def _prove(self, conn: Connection, cursor: Cursor) -> bool:
        """Go on from the cursor if this is the log that it is a place in; else behind its newest row, if that is here."""
        feed = await changelog.identify(conn)
        proof = await changelog.proof(conn, cursor.anchor)
        fault = cursor.fault(proof)
        if fault is None:
            return True
        here = Cursor.at(feed, await changelog.position(conn))
        known = Cursor(feed, cursor.seen, cursor.anchor, cursor.tag).fault(proof) is None
        place = f"behind change {cursor.anchor}" if known else "with what is written from now on"
        say(f"this is not the log that it was ({fault}): going on {place}")
        self._low = cursor.anchor + 1 if known else _END
        self._limit = None
        self._cursor, self._target, self._after = here, None, None
        return False

    async def _follow(self, conns: Connections) -> None:
        proven = time.monotonic()
        while True:
            await self._earlier(conns.asker)
            with contextlib.suppress(SlowError):
                await self._sweep(conns)
                await self._wait(conns.asker)
            if time.monotonic() - proven > _TRUST and self._cursor is not None:
                async with asyncio.timeout(_ANSWER):
                    await self._prove(conns.reader, self._cursor)
                proven = time.monotonic()

    async def _earlier(self, conn: Connection) -> None:
        """What was there before, but for what the cursor has not seen: that comes by itself."""
        cursor = self._cursor
        if cursor is None or self._low == _END:
            return
        first, high = await loglines.ends(conn)
        low = max(self._low, first)
        if self._limit is not None:
            lines = await loglines.newest(conn, self._asked.filters, low=low, high=high, limit=self._limit)
            self._low = _END
            await self._show(conn, [line for line in lines if int(line["xid"]) in cursor.seen])
        else:
            async for line in loglines.stretch(conn, self._asked.filters, low=low, high=high):
                self._low = line["seq"] + 1
                if int(line["xid"]) in cursor.seen:
                    await self._show(conn, [line])
        self._low = _END

    async def _sweep(self, conns: Connections) -> None:
        """Show what can be seen now and could not before."""
        cursor = self._cursor
        if cursor is None:
            return
        if self._target is None:
            async with asyncio.timeout(_ANSWER):
                target = Cursor.at(cursor.feed, await changelog.position(conns.reader))
            if target.seen == cursor.seen:
                return
            self._target, self._after = target, None
        async with asyncio.timeout(_PATIENCE) as patience:
            clock = asyncio.get_running_loop().time
            async with aclosing(self._parts(conns.reader, cursor, self._target)) as parts:
                async for part in parts:
                    seqs = [change.seq for change in part.changes]
                    lines = await loglines.named(conns.asker, self._asked.filters, seqs)
                    self._after = part.end or self._after
                    patience.reschedule(None)
                    slow = await self._show(conns.asker, lines)
                    if slow and not part.last:
                        raise SlowError
                    patience.reschedule(clock() + _PATIENCE)
        self._cursor, self._target, self._after = self._target, None, None

    def _parts(self, conn: Connection, cursor: Cursor, target: Cursor) -> AsyncGenerator[Chunk]:
        return changelog.read(conn, cursor.seen, until=target.seen, threshold=_ALL, chunk=_CHUNK, after=self._after)

    async def _show(self, asker: Connection, lines: list[Line]) -> bool:
        """Print them; whether that took so long that the listening was ended meanwhile, as nobody heard what came."""
        slow = False

        async def rest() -> None:
            nonlocal slow
            slow = True
            with contextlib.suppress(psycopg.Error):  # what is being shown is shown to its end
                await asker.execute(f"UNLISTEN {CHANNEL}")

        for line in lines:
            await pipe.write(changeline.shown(line, json=self._asked.json), rest)
        if slow:
            await asker.execute(f"LISTEN {CHANNEL}")
        return slow

    async def _wait(self, conn: Connection) -> None:
        """Until the doorbell rings, or a second has passed."""
        pipe.ready()
        async with aclosing(conn.notifies(timeout=_SWEEP, stop_after=1)) as bells:
            async for _ in bells:
                pass
