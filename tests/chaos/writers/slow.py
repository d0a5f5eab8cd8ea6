"""Overlapping transactions: long ones, and ones that commit in another order than they wrote."""

import asyncio

from tests.chaos.writers.plain import change
from tests.chaos.writers.session import FailedError, Session


async def long(session: Session) -> None:
    """A transaction of some seconds, with a write at its begin and its end."""
    seconds = session.rng.uniform(1.0, 5.0)
    async with session.transaction("long", patience=20) as conn:
        await change(conn, session, session.card())
        await asyncio.sleep(seconds)
        await change(conn, session, session.card())


async def crossed(session: Session) -> None:
    """The first transaction to write is the last to commit."""
    other = Session(session.world, session.rng, f"{session.name}-crossed")
    cards = [session.card() for _ in range(2)]
    try:
        async with session.transaction("crossed-outer", patience=12) as conn:
            await change(conn, session, cards[0])
            await _inner(other, cards[1])
            await change(conn, session, cards[0])
    finally:
        await other.close()


async def _inner(session: Session, card: str) -> None:
    try:
        async with session.transaction("crossed-inner") as conn:
            await change(conn, session, card)
    except FailedError:
        return  # recorded; the outer transaction continues
