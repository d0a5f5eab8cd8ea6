"""Typical transactions: one row, several rows, savepoints, rollbacks."""

from typing import Any

import psycopg

from tests.chaos.world import schema
from tests.chaos.writers.session import GiveUp, Session

_COLUMNS = ("title", "notes", "company")


async def change(conn: psycopg.AsyncConnection[Any], session: Session, card: str) -> int:
    """Change a card in a random way, and return the number of rows."""
    rng = session.rng
    roll = rng.random()
    if roll < 0.3:
        done = await conn.execute(
            "UPDATE opportunities SET phase = %s WHERE id = %s", [rng.choice(schema.PHASES), card]
        )
    elif roll < 0.6:
        done = await conn.execute(
            "UPDATE opportunities SET probability = %s WHERE id = %s", [rng.randint(0, 100), card]
        )
    elif roll < 0.65:  # nothing changes, so nothing may be sent
        done = await conn.execute("UPDATE opportunities SET title = title WHERE id = %s", [card])
    elif roll < 0.7:  # more than a page, so that it is stored out of line
        done = await conn.execute(
            "UPDATE opportunities SET notes = %s WHERE id = %s", [rng.randbytes(6000).hex(), card]
        )
    else:
        values = [
            f"{rng.choice(_COLUMNS)} {rng.randint(1, 10**6)}",
            f"{rng.randint(1, 10**7)}.{rng.randint(10, 99)}",
            card,
        ]
        done = await conn.execute("UPDATE opportunities SET title = %s, value = %s WHERE id = %s", values)
    return done.rowcount


async def single_row(session: Session) -> None:
    async with session.transaction("single-row") as conn:
        await change(conn, session, session.card())


async def multi_row(session: Session) -> None:
    """Several statements on several boards, with one row twice."""
    cards = sorted(session.card() for _ in range(session.rng.randint(2, 8)))
    async with session.transaction("multi-row") as conn:
        for card in [*cards, cards[-1]]:
            await change(conn, session, card)


async def one_statement(session: Session) -> None:
    """Update all cards of a board in one statement."""
    board = session.rng.choice(["b1", "b2", "b3", "b4"])
    async with session.transaction("one-statement") as conn:
        await conn.execute(
            "UPDATE opportunities SET probability = (coalesce(probability, 0) + 1) %% 101 WHERE board_id = %s", [board]
        )


async def savepoints(session: Session) -> None:
    """Roll back some of the savepoints."""
    rng = session.rng
    async with session.transaction("savepoints") as conn:
        await change(conn, session, session.card())
        for _ in range(rng.randint(1, 4)):
            await conn.execute("SAVEPOINT s")
            await change(conn, session, session.card())
            if rng.random() < 0.5:
                await conn.execute("ROLLBACK TO s")
            elif rng.random() < 0.5:
                await conn.execute("RELEASE s")


async def rollback(session: Session) -> None:
    async with session.transaction("rollback") as conn:
        for _ in range(session.rng.randint(1, 4)):
            await change(conn, session, session.card())
        raise GiveUp("a whole transaction")


async def asynchronous(session: Session) -> None:
    """Commit without waiting for the disk. While capture is off, a crash may lose such a commit."""
    async with session.transaction("async-commit", begin="BEGIN; SET LOCAL synchronous_commit = off") as conn:
        if await change(conn, session, session.card()) == 0:
            raise GiveUp("no such card")
