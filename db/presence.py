"""Presence: leases on opportunities and boards that somebody has open.

Invariant: a lease is a row that its holder renews. The next reader deletes a row that was not renewed, so a killed process leaves
nobody behind. The table is authoritative; messages are not.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from db.connection import PsycopgConnection
from db.sqlfiles import sql

HTTP = "http"
"""The `instance` of leases taken by requests: no connection renews them, so they live longer (30 s, else 8 s)."""


class Place(NamedTuple):
    """Where somebody can be: on an opportunity, or on a board and none of its opportunities. The other field is None."""

    opportunity_id: str | None = None
    board_id: str | None = None


class Lease(NamedTuple):
    """One connection's lease on a place; action is `editing` or `viewing`, base_version the version that the editor opened."""

    connection: str
    user_id: str
    user_name: str
    place: Place
    action: str = "viewing"
    base_version: int | None = None


class Presence(NamedTuple):
    """A lease as others see it. That of an opportunity names its board too."""

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
    conn: PsycopgConnection, instance: str, leases: Sequence[Lease], boards: Sequence[str] | None = None
) -> set[Place]:
    """Take leases, or change their action, only on these boards; returns the places that the caller may be on."""
    parameters = {
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
    found = await conn.execute(sql("queries/presence_claim"), parameters)
    return {Place._make(row) for row in await found.fetchall()}


async def held(conn: PsycopgConnection, lease: Lease) -> int:
    """Return how many other places the holder of a lease is on."""
    parameters = {
        "user": lease.user_id,
        "connection": lease.connection,
        "opportunity": lease.place.opportunity_id,
        "board": lease.place.board_id,
    }
    (row,) = await (await conn.execute(sql("queries/presence_held"), parameters)).fetchall()
    return int(row[0])


async def renew(conn: PsycopgConnection, leases: Sequence[Lease]) -> set[tuple[str, Place]]:
    """Renew leases, and return the connection and place of each one that exists."""
    parameters = {
        "connections": [lease.connection for lease in leases],
        "opportunities": [lease.place.opportunity_id for lease in leases],
        "boards": [lease.place.board_id for lease in leases],
    }
    found = await conn.execute(sql("queries/presence_renew"), parameters)
    return {(connection, Place(*place)) for connection, *place in await found.fetchall()}


async def release(conn: PsycopgConnection, connections: Sequence[str], place: Place | None = None) -> None:
    """Give back the leases of these connections: on one place, or all."""
    opportunity, board = place or Place()
    parameters = {"connections": list(connections), "opportunity": opportunity, "board": board}
    await conn.execute(sql("queries/presence_release"), parameters)


async def expire(conn: PsycopgConnection) -> None:
    """Delete the leases that were not renewed in time."""
    await conn.execute(sql("queries/presence_expire"))


async def live(conn: PsycopgConnection, boards: Sequence[str] | None = None) -> list[Presence]:
    """Everybody who is present on these boards (None: on any)."""
    found = await conn.execute(sql("queries/presence_live"), {"boards": None if boards is None else list(boards)})
    return [Presence._make(row) for row in await found.fetchall()]
