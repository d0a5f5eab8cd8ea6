"""What is written while the programs of docs/clients.md are cut: everything that a stream can say, in few rows."""

from typing import LiteralString

from tests.support.database import Database

_BEFORE: LiteralString = """
INSERT INTO boards (id, name, phases) VALUES ('b3', 'Three', '[]'), ('b4', 'Four', '[]'), ('b5', 'Five', '[]');
INSERT INTO board_members (board_id, user_id, role)
VALUES ('b3', 'ana', 'editor'), ('b4', 'ana', 'editor'), ('b5', 'ana', 'viewer');
INSERT INTO opportunities (id, board_id, title, phase)
VALUES ('o2', 'b2', 'Second', 'new'), ('o3', 'b1', 'Third', 'new'), ('o5', 'b5', 'Fifth', 'new');
INSERT INTO opportunities (id, board_id, title, phase) SELECT 'many' || n, 'b3', 'Many', 'new' FROM generate_series(1, 40) n;
"""

_ROUND: tuple[LiteralString, ...] = (
    # A batch that is longer than a part of it, of one transaction
    """
    WITH made AS (
        INSERT INTO opportunities (id, board_id, title, phase)
        SELECT 'made' || n, 'b1', 'Made', 'new' FROM generate_series(1, 5) n RETURNING id
    ) SELECT count(*) FROM made
    """,
    "UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id LIKE 'made%%'",
    "UPDATE opportunities SET phase = 'p' || %(number)s || 'a' WHERE id = 'o1'",
    "DELETE FROM opportunities WHERE id LIKE 'made%%'",
    # A card goes to another board, and comes back
    "UPDATE opportunities SET board_id = 'b4' WHERE id = 'o3'",
    "UPDATE opportunities SET board_id = 'b1' WHERE id = 'o3'",
    "UPDATE opportunities SET phase = 'p' || %(number)s || 'b' WHERE id = 'o1'",
    # More changes of a board than are sent one by one
    "UPDATE opportunities SET notes = 'all' WHERE id LIKE 'many%%'",
)

_GRANT: LiteralString = "INSERT INTO board_members (board_id, user_id, role) VALUES (%(granted)s, 'ana', 'viewer')"
_REVOKE: LiteralString = "DELETE FROM board_members WHERE board_id = %(revoked)s AND user_id = 'ana'"
_SEEN_AND_UNSEEN: LiteralString = "UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id IN ('o2', 'o5')"
_LAST: LiteralString = "UPDATE opportunities SET phase = 'p' || %(number)s || 'c' WHERE id = 'o1'"


async def prepare(database: Database) -> None:
    """Make what is missing beside tests.support.services.people."""
    async with await database.connect() as conn:
        await conn.execute(_BEFORE)


async def play(database: Database, number: int) -> int:
    """Write a round; the number of its last change, which Ana sees. Of b2 and b5 she is let into one, and put out of the other."""
    granted, revoked = ("b5", "b2") if number % 2 else ("b2", "b5")
    async with await database.connect() as conn:
        for statement in (*_ROUND, _GRANT, _REVOKE, _SEEN_AND_UNSEEN, _LAST):
            await conn.execute(statement, {"number": number, "granted": granted, "revoked": revoked})
        row = await (await conn.execute("SELECT max(seq) AS seq FROM feed.log")).fetchone()
    assert row is not None
    seq: int = row["seq"]
    return seq


def moves(number: int) -> list[str]:
    """The phases of a round, which o1 goes through on b1."""
    return [f"p{number}{letter}" for letter in "abc"]
