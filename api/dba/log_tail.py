"""One client's stream of the trigger log, as server-sent events.

Invariant: the stream contains every matching change after its cursor, in commit order, in whole transactions, and none
twice on one connection. The tail queries what is new to its cursor, so neither a lost notification nor a lost
connection loses a change. Only the end of a batch has a cursor. A client that resumes from an older one receives what
came after it again.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import structlog
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection

from api.dba.log_filter import Filters
from api.dba.reads import DbaReads
from api.http.json_response import dumps
from db.changelog import trigger_log
from feed.stream_request import RETRY
from feed.wire.cursor import Cursor, Fault
from feed.wire.encoding import one_line

_MAX_CHANGES = 20_000
"""Changes that are sent one by one when they come at once. Above that, only `many` is sent."""
_MESSAGE_SIZE = 200
"""Changes in one message."""
_POLL_INTERVAL = 1.0
"""Seconds between queries when nothing wakes the tail."""
_MIN_INTERVAL = 0.1
"""Seconds between queries however often it is woken."""
_HEARTBEAT_INTERVAL = 10.0

_log = structlog.get_logger("api")


class LogTail:
    def __init__(
        self,
        reads: DbaReads,
        changed: asyncio.Event,
        is_draining: Callable[[], bool],
        filters: Filters,
        since: str | None,
    ) -> None:
        """`changed` is set when the log has grown; `since` is the client's cursor, None to start at the end of the log."""
        self._reads = reads
        self._changed = changed
        self._is_draining = is_draining
        self._filters = filters
        self._since = since
        self._cursor: Cursor | None = None
        self._sent: set[int] = set()
        """The changes already sent of a batch that is not complete."""
        self._trouble = False
        """Whether the last query failed."""

    async def messages(self, expires: float) -> AsyncIterator[bytes]:
        """Yield the messages of the stream, until the client's token expires or this instance stops."""
        yield RETRY
        async for message in self._follow(expires):
            yield message
        yield _message("goodbye", {"reason": "restart" if self._is_draining() else "expired"}, None)

    async def _follow(self, expires: float) -> AsyncIterator[bytes]:
        last_message = time.monotonic()
        while not self._is_draining() and time.time() < expires:
            self._changed.clear()
            try:
                async for message in self._read_new():
                    last_message = time.monotonic()
                    yield message
            except (psycopg.Error, exc.SQLAlchemyError, TimeoutError) as error:
                if not self._trouble:
                    _log.warning("trigger log not read", error=str(error).strip())
                    yield _message("trouble", {"detail": "The database cannot be reached. Trying again."}, None)
                self._trouble = True
            if time.monotonic() - last_message > _HEARTBEAT_INTERVAL:
                last_message = time.monotonic()
                yield self._heartbeat()
            await asyncio.sleep(_MIN_INTERVAL)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_INTERVAL):
                    await self._changed.wait()

    async def _read_new(self) -> AsyncIterator[bytes]:
        """Query what is new to the cursor, and yield it."""
        async with self._reads.connection() as conn:
            await trigger_log.block_pruning(conn)
            cursor, status = await self._verify_cursor(conn)
            new = await trigger_log.unseen(conn, cursor.seen, _MAX_CHANGES)
            end = Cursor.at(*await trigger_log.position(conn)) if new.too_many else _cursor_after(cursor, new)
        recovered, self._trouble = self._trouble, False
        if recovered and status is None:
            status = self._heartbeat()
        if status is not None:
            yield status
        if new.too_many:
            self._move_to(end)
            yield _message("many", {"more_than": _MAX_CHANGES}, end)
            return
        async for message in self._change_messages([seq for seq, _, _ in new.rows if seq not in self._sent], end):
            yield message
        if self._cursor is cursor:  # there was no reset
            self._move_to(end)

    async def _change_messages(self, seqs: list[int], end: Cursor) -> AsyncIterator[bytes]:
        """Yield the changes with these numbers. If some have been pruned meanwhile, yield a reset instead."""
        for start in range(0, len(seqs), _MESSAGE_SIZE):
            part = seqs[start : start + _MESSAGE_SIZE]
            async with self._reads.connection() as conn:
                await trigger_log.block_pruning(conn)
                _, reset = await self._verify_cursor(conn)
                changes = await trigger_log.by_seq(conn, self._filters, part)
            if reset is not None:
                yield reset
                return
            is_last = start + _MESSAGE_SIZE >= len(seqs)
            if changes:
                yield _changes_message(changes, end if is_last else None)
            self._sent.update(part)

    async def _verify_cursor(self, conn: AsyncConnection) -> tuple[Cursor, bytes | None]:
        """Check that the cursor belongs to this log. Return it with the message to send: `ready`, `reset`, or none."""
        is_first, fault = self._cursor is None, None
        if self._cursor is None and self._since:
            try:
                self._cursor = Cursor.parse(self._since)
            except ValueError:
                fault = Fault.MALFORMED
        if self._cursor is not None:
            fault = self._cursor.fault(await trigger_log.proof(conn, self._cursor.anchor))
        cursor = self._cursor
        if cursor is None or fault is not None:
            cursor = Cursor.at(*await trigger_log.position(conn))
            self._move_to(cursor)
        if fault is not None:
            return cursor, _message("reset", {"reason": fault}, cursor)
        return cursor, _message("ready", {}, cursor) if is_first else None

    def _move_to(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._sent.clear()

    def _heartbeat(self) -> bytes:
        return _message("heartbeat", {"trouble": self._trouble}, None if self._sent else self._cursor)


def _cursor_after(cursor: Cursor, new: trigger_log.Unseen) -> Cursor:
    last_xid = max((xid for _, xid, _ in new.rows), default=None)
    return cursor.advanced(new.snapshot, last_xid, max(new.rows, default=None))


def _message(event: str, data: Any, cursor: Cursor | None) -> bytes:
    return _frame(event, dumps(data), cursor)


def _changes_message(changes: list[str], cursor: Cursor | None) -> bytes:
    return _frame("changes", b'{"changes":[' + ",".join(changes).encode() + b"]}", cursor)


def _frame(event: str, data: bytes, cursor: Cursor | None) -> bytes:
    id_ = b"" if cursor is None else b"id: %s\n" % str(cursor).encode()
    return b"event: %s\n%sdata: %s\n\n" % (event.encode(), id_, one_line(data))
