"""Single-use tickets for EventSource, which cannot send a header.

Invariant: the database holds only the hash of a ticket. A ticket is redeemed at most once, and only in its first seconds. It
grants no more access than the session for which it was created, and not for longer.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from psycopg.types.json import Jsonb

from db.connection import PsycopgConnection
from db.sqlfiles import sql

TTL = timedelta(seconds=30)

_LONGEST = 100


class Ticket(NamedTuple):
    user_id: str
    name: str
    roles: frozenset[str]
    expires: float
    """When the session that the ticket was made from ends, in seconds since the epoch."""


async def create(
    conn: PsycopgConnection,
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


async def redeem(conn: PsycopgConnection, ticket: str) -> Ticket | None:
    """Use the ticket up, and return whose it was; None if it is unknown, used, or expired. The caller commits."""
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
