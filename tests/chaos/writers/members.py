"""Members that are added, removed and given another role."""

from tests.chaos.world import schema
from tests.chaos.writers.plain import change
from tests.chaos.writers.session import Session

_BOARDS = ["b1", "b2", "b3", "b4"]
_ROLES = ["viewer", "editor", "admin"]
_GRANT = """
INSERT INTO feed.board_members (board_id, user_id, role) VALUES (%s, %s, %s)
ON CONFLICT (board_id, user_id) DO UPDATE SET role = excluded.role
"""


async def grant(session: Session) -> None:
    """Add a member or change a role, between two writes: a new member must see only the second one."""
    rng = session.rng
    board, user = rng.choice(_BOARDS), rng.choice(schema.CHURNED)
    async with session.transaction("grant") as conn:
        await change(conn, session, session.card(board))
        await conn.execute(_GRANT, [board, user, rng.choice(_ROLES)])
        if rng.random() < 0.5:
            await change(conn, session, session.card(board))


async def revoke(session: Session) -> None:
    rng = session.rng
    board, user = rng.choice(_BOARDS), rng.choice(schema.CHURNED)
    async with session.transaction("revoke") as conn:
        await conn.execute("DELETE FROM feed.board_members WHERE board_id = %s AND user_id = %s", [board, user])
        if rng.random() < 0.5:
            await change(conn, session, session.card(board))


async def swap(session: Session) -> None:
    """Remove a member and add it again in one transaction."""
    rng = session.rng
    board, user = rng.choice(_BOARDS), rng.choice(schema.CHURNED)
    async with session.transaction("swap") as conn:
        await conn.execute("DELETE FROM feed.board_members WHERE board_id = %s AND user_id = %s", [board, user])
        await change(conn, session, session.card(board))
        await conn.execute(_GRANT, [board, user, rng.choice(_ROLES)])
