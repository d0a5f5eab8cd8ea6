"""Cards that move to another board, are deleted, and are inserted again."""

from tests.chaos.writers.plain import change
from tests.chaos.writers.session import Session

_BOARDS = ["b1", "b2", "b3", "b4"]
_INSERT = """
INSERT INTO opportunities (id, board_id, title, phase) VALUES (%s, %s, %s, 'new')
ON CONFLICT (id) DO UPDATE SET board_id = excluded.board_id, title = excluded.title
"""


async def move(session: Session) -> None:
    card, board = session.card(), session.rng.choice(_BOARDS)
    async with session.transaction("move") as conn:
        await conn.execute("UPDATE opportunities SET board_id = %s WHERE id = %s", [board, card])
        if session.rng.random() < 0.3:
            await change(conn, session, card)


async def there_and_back(session: Session) -> None:
    """Move a card to another board and back in one transaction."""
    card, board = session.card(), session.rng.choice(_BOARDS)
    async with session.transaction("there-and-back") as conn:
        row = await (await conn.execute("SELECT board_id FROM opportunities WHERE id = %s", [card])).fetchone()
        if row is not None:
            for each in (board, row[0]):
                await conn.execute("UPDATE opportunities SET board_id = %s WHERE id = %s", [each, card])


async def delete(session: Session) -> None:
    async with session.transaction("delete") as conn:
        await conn.execute("DELETE FROM opportunities WHERE id = %s", [session.card()])


async def insert(session: Session) -> None:
    """Insert a card again, or change it if it exists."""
    card = session.card()
    async with session.transaction("insert") as conn:
        await conn.execute(_INSERT, [card, session.rng.choice(_BOARDS), f"Again {session.rng.randint(1, 10**6)}"])


async def replace(session: Session) -> None:
    """Delete a card and insert it with the same id in one transaction."""
    card = session.card()
    async with session.transaction("replace") as conn:
        await conn.execute("DELETE FROM opportunities WHERE id = %s", [card])
        await conn.execute(_INSERT, [card, session.rng.choice(_BOARDS), "Replaced"])


async def fleeting(session: Session) -> None:
    """Insert and delete a card in one transaction."""
    async with session.transaction("fleeting") as conn:
        card = f"fleeting-{session.rng.randint(1, 10**9)}"
        await conn.execute(_INSERT, [card, session.rng.choice(_BOARDS), "Fleeting"])
        await conn.execute("DELETE FROM opportunities WHERE id = %s", [card])
