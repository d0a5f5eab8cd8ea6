"""What is decided by hand: how users get what is new, and the two switches. Read by the feed, written by `boardcast flags`.

Invariant: whatever is decided is a row of feed.flags, and so of the log: every instance is told of it in its place. Who waits for a
busy table keeps nobody waiting for longer than a second.
"""

import asyncio
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import errors

from db.changelog import Connection
from db.sqlfiles import sql

REALTIME = ("websocket", "sse", "poll", "off")
"""The ways to get what is new, the best first. Who is offered one may take any that comes after it."""
_TRIES = 8
_PAUSE = 1.0
"""Seconds between them: writers have the tables meanwhile."""

_PLACE: LiteralString = "SELECT feed.realtime(%(user)s), feed.user_place(%(user)s)"
_KNOWN: LiteralString = "SELECT EXISTS (SELECT FROM users WHERE id = %(user)s)"
_BELL: LiteralString = "SELECT feed.set_bell(%(on)s)"
_CAPTURE: LiteralString = "SELECT t::text FROM feed.set_capture(%(on)s) AS t"
_HOLDERS: LiteralString = """
SELECT string_agg(DISTINCT format('pid %s (%s)', l.pid, coalesce(nullif(a.application_name, ''), a.usename)), ', ')
FROM pg_locks AS l
JOIN feed.triggers AS t ON t.relation = l.relation
JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.xact_start < clock_timestamp() - interval '1 s'
WHERE l.granted AND l.pid <> pg_backend_pid() AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
      'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""


class Rule(NamedTuple):
    """A row of feed.flags; `user` is empty but for scope ``user``, `share` null but for scope ``share``."""

    flag: str
    scope: str
    user: str
    share: int | None
    value: str


class Shown(NamedTuple):
    """The same for people: who decided it, and when."""

    flag: str
    scope: str
    user_id: str | None
    share: int | None
    value: str
    at: datetime
    who: str


class BusyError(Exception):
    """Tables are in use for too long; the message says by whom, where that can be seen."""


async def rules(conn: Connection) -> list[Rule]:
    """All that is decided."""
    return [Rule._make(row) for row in await _rows(conn, sql("queries/flags"))]


async def shown(conn: Connection) -> list[Shown]:
    return [Shown._make(row) for row in await _rows(conn, sql("queries/flags_shown"))]


async def of_user(conn: Connection, user: str) -> tuple[str, int, bool]:
    """What a user is offered, his place in every share, and whether there is such a user."""
    ((value, place),) = await _rows(conn, _PLACE, user=user)
    ((known,),) = await _rows(conn, _KNOWN, user=user)
    return value, place, known


async def set_realtime(conn: Connection, value: str, *, share: int | None, user: str | None) -> None:
    """Offer a way to a share, to a user, or (neither) to everybody; for the owner of schema feed."""
    scope = "user" if user is not None else "everybody" if share is None else "share"
    await conn.execute(sql("queries/flag_set"), {"scope": scope, "user_id": user or "", "share": share, "value": value})


async def clear_realtime(conn: Connection, scope: str | None, user: str | None) -> int:
    """Take a rule away, or (scope None) all; how many there were."""
    return len(await _rows(conn, sql("queries/flag_clear"), scope=scope, user_id=user or ""))


async def set_bell(conn: Connection, *, on: bool) -> None:
    """Let writers ring, or not; for the owner of schema feed."""
    await conn.execute(_BELL, {"on": on})


async def set_capture(conn: Connection, *, on: bool) -> list[str]:
    """Put the triggers on again, or take them off; which tables that concerned. Raises BusyError."""
    for left in reversed(range(_TRIES)):
        try:
            return sorted(name for (name,) in await _rows(conn, _CAPTURE, on=on))
        except errors.LockNotAvailable:
            if left:
                await asyncio.sleep(_PAUSE)
    ((holders,),) = await _rows(conn, _HOLDERS)
    raise BusyError(f"held by {holders}" if holders else "held by somebody else")


async def _rows(conn: Connection, statement: LiteralString, **arguments: Any) -> list[tuple[Any, ...]]:
    return await (await conn.execute(statement, arguments or None)).fetchall()
