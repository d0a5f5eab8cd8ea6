"""Who is a member of which board, and how that changed."""

from typing import NamedTuple

from db.changelog.positions import Seen, between
from db.connection import PsycopgConnection
from db.sqlfiles import sql


class MembershipChange(NamedTuple):
    """A row of board_members in the log. A TRUNCATE has no member and no board. The role is None once the member is gone."""

    op: str
    member: str | None
    board: str | None
    role: str | None
    seq: int


async def read_memberships(conn: PsycopgConnection) -> list[tuple[str, str, str]]:
    """(user, board, role) of every member."""
    return await (await conn.execute(sql("queries/membership"))).fetchall()


async def read_membership_changes(conn: PsycopgConnection, since: Seen, until: Seen) -> list[MembershipChange]:
    """Every change of board_members between two cursors, in the order in which `read_changes` delivers them."""
    found = await conn.execute(sql("queries/membership_changes"), between(since, until))
    return [MembershipChange._make(row) for row in await found.fetchall()]
