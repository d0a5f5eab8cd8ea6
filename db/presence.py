"""Leases on opportunities: who has which open.

Invariant: a lease is a row that its holder renews; a row that nobody renews is taken away by whoever looks next. So a killed
process leaves nobody behind, and the table, not a message, is the truth.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from db.changelog import Connection
from db.sqlfiles import sql

HTTP = "http"
"""The `instance` of leases taken by requests: no connection renews them, so they live longer (30 s, else 8 s)."""


class Lease(NamedTuple):
    """What one connection has of one opportunity; action is `editing` or `viewing`, base_version what the editor began with."""

    connection: str
    user_id: str
    user_name: str
    opportunity_id: str
    action: str
    base_version: int | None


class Presence(NamedTuple):
    """A lease as others see it."""

    board_id: str
    opportunity_id: str
    user_id: str
    user_name: str
    action: str
    started_at: datetime
    base_version: int | None


async def claim(
    conn: Connection, instance: str, leases: Sequence[Lease], boards: Sequence[str] | None = None
) -> set[str]:
    """Take or renew leases, on these boards only; the ids of the opportunities that are there."""
    columns: list[list[object]] = [list(column) for column in zip(*leases, strict=True)] or [[]] * len(Lease._fields)
    names = ("connections", "users", "names", "opportunities", "actions", "versions")
    arguments = dict(zip(names, columns, strict=True))
    found = await conn.execute(
        sql("queries/presence_claim"),
        {**arguments, "instance": instance, "boards": None if boards is None else list(boards)},
    )
    return {row[0] for row in await found.fetchall()}


async def release(conn: Connection, connections: Sequence[str], opportunity: str | None = None) -> None:
    """Give back what some connections hold: of one opportunity, or all."""
    await conn.execute(sql("queries/presence_release"), {"connections": list(connections), "opportunity": opportunity})


async def expire(conn: Connection) -> None:
    """Take away the leases that nobody has renewed in time."""
    await conn.execute(sql("queries/presence_expire"))


async def live(conn: Connection, boards: Sequence[str] | None = None) -> list[Presence]:
    """Everybody who is anywhere on these boards (None: on any)."""
    found = await conn.execute(sql("queries/presence_live"), {"boards": None if boards is None else list(boards)})
    return [Presence._make(row) for row in await found.fetchall()]
