"""Single-use tickets for EventSource, which cannot send a header.

Invariant: the database holds only a ticket's hash, a ticket is redeemed at most once and only in its first seconds, and
it gives no more than the session that it was made from, nor for longer.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from db.sqlfiles import sql

TTL = timedelta(seconds=30)

_LONGEST = 100


class Ticket(NamedTuple):
    user_id: str
    name: str
    roles: frozenset[str]
    expires: float
    """When the session ends that the ticket was made from, in seconds since the epoch."""


async def create(
    conn: AsyncConnection[tuple[Any, ...]],
    user_id: str,
    name: str,
    roles: Iterable[str],
    expires: float,
    *,
    ttl: timedelta = TTL,
) -> str:
    """Make a ticket for a session that ends at `expires` (seconds since the epoch). The caller commits."""
    ticket = secrets.token_urlsafe(32)
    await conn.execute(
        sql("queries/ticket_create"),
        {
            "hash": _hash(ticket),
            "user_id": user_id,
            "name": name,
            "roles": Jsonb(sorted(roles)),
            "session_expires": expires,
            "ttl": ttl,
        },
    )
    return ticket


async def redeem(conn: AsyncConnection[tuple[Any, ...]], ticket: str) -> Ticket | None:
    """Take the ticket back and tell whose it was; None if it is unknown, used or over. The caller commits."""
    if not ticket.isascii() or len(ticket) > _LONGEST:
        return None
    cursor = await conn.execute(sql("queries/ticket_redeem"), {"hash": _hash(ticket)})
    row = await cursor.fetchone()
    if row is None:
        return None
    user_id, name, roles, session_expires, valid = row
    return Ticket(user_id, name, frozenset(roles), session_expires) if valid else None


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
