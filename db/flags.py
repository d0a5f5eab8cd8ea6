"""Feature flags: which transport users are offered, and the three switches. Read by the feed, set with `boardcast flags`.

Invariant: a flag is a row of feed.flags, and its changes are in the log: every instance applies them at their position. Waiting for
a table that is in use blocks writers for at most a second at a time.
"""

import asyncio
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import errors

from db.connection import PsycopgConnection, Row
from db.sqlfiles import sql

REALTIME = ("websocket", "sse", "poll", "off")
"""The transports, the best first. A user who is offered one may also use those after it."""
_TRIES = 8
_PAUSE = 1.0
"""Seconds between them, in which writers can use the tables."""


class Rule(NamedTuple):
    """A row of feed.flags. `user` is empty except for scope ``user``, and `percentage` is None except for scope ``percentage``."""

    flag: str
    scope: str
    user: str
    percentage: int | None
    value: str


class FlagRow(NamedTuple):
    """The same for people: also who set it, and when."""

    flag: str
    scope: str
    user_id: str | None
    percentage: int | None
    value: str
    at: datetime
    set_by: str


class BusyError(Exception):
    """Tables are in use for too long. The message says by whom, if this role may see that."""


async def rules(conn: PsycopgConnection) -> list[Rule]:
    """All flags that are set."""
    return [Rule._make(row) for row in await _rows(conn, "queries/flags")]


async def list_flags(conn: PsycopgConnection) -> list[FlagRow]:
    return [FlagRow._make(row) for row in await _rows(conn, "queries/flags_with_author")]


async def for_user(conn: PsycopgConnection, user: str) -> tuple[str, int, bool]:
    """What a user is offered, the user's rollout bucket (0 to 99), and whether there is such a user."""
    ((value, place, known),) = await _rows(conn, "queries/flags_of_user", user=user)
    return value, place, known


async def set_realtime(conn: PsycopgConnection, value: str, *, percentage: int | None, user: str | None) -> None:
    """Offer a transport to a percentage of the users, to one user, or (neither) to everybody; for the owner of schema feed."""
    scope = "user" if user is not None else "everybody" if percentage is None else "percentage"
    await conn.execute(
        sql("queries/flag_set"), {"scope": scope, "user_id": user or "", "percentage": percentage, "value": value}
    )


async def clear_realtime(conn: PsycopgConnection, scope: str | None, user: str | None) -> int:
    """Remove a rule, or (scope None) all; how many there were."""
    return len(await _rows(conn, "queries/flag_clear", scope=scope, user_id=user or ""))


async def set_notify(conn: PsycopgConnection, *, on: bool) -> None:
    """Let writers send NOTIFY, or mute them; for the owner of schema feed."""
    await conn.execute(sql("queries/notify_switch"), {"on": on})


async def set_seal(conn: PsycopgConnection, *, on: bool) -> None:
    """Start or stop sealing the log; for the owner of schema feed."""
    await conn.execute(sql("queries/seal_switch"), {"on": on})


async def set_capture(conn: PsycopgConnection, *, on: bool) -> list[str]:
    """Enable or disable the triggers; returns the tables that it changed. Raises BusyError."""
    for left in reversed(range(_TRIES)):
        try:
            return sorted(name for (name,) in await _rows(conn, "queries/capture_switch", on=on))
        except errors.LockNotAvailable:
            if left:
                await asyncio.sleep(_PAUSE)
    ((holders,),) = await _rows(conn, "queries/lock_holders")
    raise BusyError(f"held by {holders}" if holders else "held by another session")


async def _rows(conn: PsycopgConnection, query: str, **parameters: Any) -> list[Row]:
    return await (await conn.execute(sql(query), parameters or None)).fetchall()
