"""Leases on opportunities and boards: who has which open.

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


class Place(NamedTuple):
    """Where somebody can be: at an opportunity, or at a board and none of its opportunities. The other one is None."""

    opportunity_id: str | None = None
    board_id: str | None = None


class Lease(NamedTuple):
    """What one connection has of one place; action is `editing` or `viewing`, base_version what the editor began with."""

    connection: str
    user_id: str
    user_name: str
    place: Place
    action: str = "viewing"
    base_version: int | None = None


class Presence(NamedTuple):
    """A lease as others see it; an opportunity's with the board that it is on."""

    board_id: str
    opportunity_id: str | None
    user_id: str
    user_name: str
    action: str
    started_at: datetime
    base_version: int | None

    @property
    def place(self) -> Place:
        return Place(board_id=self.board_id) if self.opportunity_id is None else Place(self.opportunity_id)


async def claim(
    conn: Connection, instance: str, leases: Sequence[Lease], boards: Sequence[str] | None = None
) -> set[Place]:
    """Take or renew leases, on these boards only; the places that are there for him who asks."""
    arguments = {
        "connections": [lease.connection for lease in leases],
        "users": [lease.user_id for lease in leases],
        "names": [lease.user_name for lease in leases],
        "opportunities": [lease.place.opportunity_id for lease in leases],
        "looked_at": [lease.place.board_id for lease in leases],
        "actions": [lease.action for lease in leases],
        "versions": [lease.base_version for lease in leases],
        "instance": instance,
        "boards": None if boards is None else list(boards),
    }
    found = await conn.execute(sql("queries/presence_claim"), arguments)
    return {Place._make(row) for row in await found.fetchall()}


async def release(conn: Connection, connections: Sequence[str], place: Place | None = None) -> None:
    """Give back what some connections hold: of one place, or all."""
    opportunity, board = place or Place()
    arguments = {"connections": list(connections), "opportunity": opportunity, "board": board}
    await conn.execute(sql("queries/presence_release"), arguments)


async def expire(conn: Connection) -> None:
    """Take away the leases that nobody has renewed in time."""
    await conn.execute(sql("queries/presence_expire"))


async def live(conn: Connection, boards: Sequence[str] | None = None) -> list[Presence]:
    """Everybody who is anywhere on these boards (None: on any)."""
    found = await conn.execute(sql("queries/presence_live"), {"boards": None if boards is None else list(boards)})
    return [Presence._make(row) for row in await found.fetchall()]
