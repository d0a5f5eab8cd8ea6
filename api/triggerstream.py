"""GET /api/trigger-log/stream: the log as it grows, for a DBA.

Invariant: from its cursor on the stream tells every change that fits, in commit order, whole transactions, and none twice in a
connection. It asks by itself what is new to its cursor, so that neither a lost bell nor a lost connection loses a change.
A cursor is given out at the end of a batch only; who comes back with an older one is told again what came after it.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import psycopg
import structlog
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.auth import dba
from api.body import query
from api.events import Stream
from api.json import dumps
from api.operation import Operation
from api.schemas import TailQuery
from api.services import Services, services
from api.triggerlog import conditions
from db import triggerlog
from feed.stream import RETRY
from feed.wire.cursor import Cursor, Fault

_MOST = 20_000
"""Changes that are told one by one when they come at once; more are told as a number."""
_PART = 200
"""Changes in one message."""
_LOOK = 1.0
"""Seconds between questions when nobody rings."""
_REST = 0.1
"""Seconds between two questions, however often it rings."""
_BEAT = 10.0
"""Seconds between heartbeats."""

_log = structlog.get_logger("api")


class Tail:
    """One follower of the log: what it asks for, and where it stands."""

    def __init__(self, own: Services, filters: Mapping[str, str | None], since: str | None) -> None:
        self._own = own
        self._filters = filters
        self._since = since
        self._cursor: Cursor | None = None
        self._told: set[int] = set()
        """Of a batch that has not ended."""
        self._trouble = False

    async def messages(self, expires: float) -> AsyncIterator[bytes]:
        """Yield what a client is sent, until his token or this instance ends."""
        yield RETRY
        with self._own.watch.bell() as bell:
            async for message in self._until(expires, bell):
                yield message
        yield _message("goodbye", {"reason": "restart" if self._own.draining else "expired"}, None)

    async def _until(self, expires: float, bell: asyncio.Event) -> AsyncIterator[bytes]:
        beaten = time.monotonic()
        while not self._own.draining and time.time() < expires:
            bell.clear()
            try:
                async for message in self._news():
                    beaten = time.monotonic()
                    yield message
            except (psycopg.Error, exc.SQLAlchemyError, TimeoutError) as error:
                if not self._trouble:
                    _log.warning("the trigger log cannot be read", error=str(error).strip())
                    yield _message("trouble", {"detail": "the database cannot be reached: trying again"}, None)
                self._trouble = True
            if time.monotonic() - beaten > _BEAT:
                beaten = time.monotonic()
                yield self._beat()
            await asyncio.sleep(_REST)
            await _rung(bell)

    async def _news(self) -> AsyncIterator[bytes]:
        """Ask once, and tell what is new."""
        async with self._own.watch.reading() as conn:
            await triggerlog.hold(conn)
            cursor, told = await self._prove(conn)
            fresh = await triggerlog.fresh(conn, cursor.seen, _MOST)
            after = Cursor.at(*await triggerlog.position(conn)) if fresh.too_many else _after(cursor, fresh)
        was, self._trouble = self._trouble, False
        if was and told is None:
            told = self._beat()
        if told is not None:
            yield told
        if fresh.too_many:
            self._cursor = after
            self._told.clear()
            yield _message("many", {"more_than": _MOST}, after)
            return
        async for part in self._parts([seq for seq, _, _ in fresh.rows if seq not in self._told], after):
            yield part
        if self._cursor is cursor:
            self._cursor = after
            self._told.clear()

    async def _parts(self, seqs: list[int], after: Cursor) -> AsyncIterator[bytes]:
        """The changes of these numbers; a reset instead, if some of them have been pruned meanwhile."""
        for begin in range(0, len(seqs), _PART):
            part = seqs[begin : begin + _PART]
            async with self._own.watch.reading() as conn:
                await triggerlog.hold(conn)
                _, reset = await self._prove(conn)
                bodies = await triggerlog.named(conn, self._filters, part)
            if reset is not None:
                yield reset
                return
            last = begin + _PART >= len(seqs)
            if bodies:
                yield _changes(bodies, after if last else None)
            self._told.update(part)

    async def _prove(self, conn: AsyncConnection) -> tuple[Cursor, bytes | None]:
        """Make sure of the cursor, which may be of another log than there is now; what is to be told of it."""
        first, fault = self._cursor is None, None
        if self._cursor is None and self._since:
            try:
                self._cursor = Cursor.parse(self._since)
            except ValueError:
                fault = Fault.MALFORMED
        if self._cursor is not None:
            fault = self._cursor.fault(await triggerlog.proof(conn, self._cursor.anchor))
        if self._cursor is None or fault is not None:
            self._cursor = Cursor.at(*await triggerlog.position(conn))
            self._told.clear()
        if fault is not None:
            return self._cursor, _message("reset", {"reason": fault}, self._cursor)
        return self._cursor, _message("ready", {}, self._cursor) if first else None

    def _beat(self) -> bytes:
        return _message("heartbeat", {"trouble": self._trouble}, None if self._told else self._cursor)


async def follow(request: Request) -> Response:
    who, own = await dba(request), services(request)
    asked = query(request, TailQuery)
    tail = Tail(own, conditions(asked), request.headers.get("Last-Event-ID") or asked.since)
    own.watch.require_room()
    metrics = None if own.hub is None else own.hub.metrics
    return Stream(tail.messages(who.expires), own.settings.drain_timeout, metrics)


def _after(cursor: Cursor, fresh: triggerlog.Fresh) -> Cursor:
    last_xid = max((xid for _, xid, _ in fresh.rows), default=None)
    return cursor.advanced(fresh.snapshot, last_xid, max(fresh.rows, default=None))


async def _rung(bell: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LOOK):
            await bell.wait()


def _message(event: str, data: Any, cursor: Cursor | None) -> bytes:
    return _framed(event, dumps(data), cursor)


def _changes(bodies: list[str], cursor: Cursor | None) -> bytes:
    # JSON of PostgreSQL has no line ends that are not escaped.
    return _framed("changes", b'{"changes":[' + ",".join(bodies).encode() + b"]}", cursor)


def _framed(event: str, data: bytes, cursor: Cursor | None) -> bytes:
    id_ = b"" if cursor is None else b"id: %s\n" % str(cursor).encode()
    return b"event: %s\n%sdata: %s\n\n" % (event.encode(), id_, data)


ROUTES = [
    Operation(
        "GET",
        "/api/trigger-log/stream",
        follow,
        summary="The log as it grows, as server-sent events: changes, heartbeat, reset, many, trouble, goodbye",
        tag="dba",
        query=TailQuery,
        headers=("Last-Event-ID",),
        answers={200: None},
        problems=("dba-only", "overloaded"),
        media_type="text/event-stream",
    )
]
