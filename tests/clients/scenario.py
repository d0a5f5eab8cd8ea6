"""The changes written while the programs of docs/clients.md are disconnected: every kind of event, in few rows."""

from typing import LiteralString

from tests.support.database import Database

_SETUP: LiteralString = """
INSERT INTO feed.boards (id, name, phases) VALUES ('b3', 'Three', '[]'), ('b4', 'Four', '[]'), ('b5', 'Five', '[]');
INSERT INTO feed.board_members (board_id, user_id, role)
VALUES ('b3', 'ana', 'editor'), ('b4', 'ana', 'editor'), ('b5', 'ana', 'viewer');
INSERT INTO opportunities (id, board_id, title, phase)
VALUES ('o2', 'b2', 'Second', 'new'), ('o3', 'b1', 'Third', 'new'), ('o5', 'b5', 'Fifth', 'new');
INSERT INTO opportunities (id, board_id, title, phase) SELECT 'many' || n, 'b3', 'Many', 'new' FROM generate_series(1, 40) n;
"""

_ROUND: tuple[LiteralString, ...] = (
    # A transaction with more rows than a chunk
    """
    WITH inserted AS (
        INSERT INTO opportunities (id, board_id, title, phase)
        SELECT 'temp' || n, 'b1', 'Temporary', 'new' FROM generate_series(1, 5) n RETURNING id
    ) SELECT count(*) FROM inserted
    """,
    "UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id LIKE 'temp%%'",
    "UPDATE opportunities SET phase = 'p' || %(number)s || 'a' WHERE id = 'o1'",
    "DELETE FROM opportunities WHERE id LIKE 'temp%%'",
    # A card moves to another board and back
    "UPDATE opportunities SET board_id = 'b4' WHERE id = 'o3'",
    "UPDATE opportunities SET board_id = 'b1' WHERE id = 'o3'",
    "UPDATE opportunities SET phase = 'p' || %(number)s || 'b' WHERE id = 'o1'",
    # More changes of one board than are sent individually
    "UPDATE opportunities SET notes = 'all' WHERE id LIKE 'many%%'",
)

_GRANT: LiteralString = "INSERT INTO feed.board_members (board_id, user_id, role) VALUES (%(granted)s, 'ana', 'viewer')"
_REVOKE: LiteralString = "DELETE FROM feed.board_members WHERE board_id = %(revoked)s AND user_id = 'ana'"
_UPDATE_BOTH: LiteralString = "UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id IN ('o2', 'o5')"
_LAST: LiteralString = "UPDATE opportunities SET phase = 'p' || %(number)s || 'c' WHERE id = 'o1'"


async def prepare(database: Database) -> None:
    """Add the rows needed in addition to tests.support.services.add_people."""
    async with await database.connect() as conn:
        await conn.execute(_SETUP)


async def write_round(database: Database, number: int) -> int:
    """Write a round, which grants ana b2 or b5 and revokes the other; return the seq of its last change, which ana sees."""
    granted, revoked = ("b5", "b2") if number % 2 else ("b2", "b5")
    async with await database.connect() as conn:
        for statement in (*_ROUND, _GRANT, _REVOKE, _UPDATE_BOTH, _LAST):
            await conn.execute(statement, {"number": number, "granted": granted, "revoked": revoked})
        row = await (await conn.execute("SELECT max(seq) AS seq FROM feed.log")).fetchone()
    assert row is not None
    seq: int = row["seq"]
    return seq


def phases(number: int) -> list[str]:
    """The phases that o1 goes through on b1 in a round."""
    return [f"p{number}{letter}" for letter in "abc"]
