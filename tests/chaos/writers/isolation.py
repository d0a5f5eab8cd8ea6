"""REPEATABLE READ and SERIALIZABLE, retried after serialization failures."""

from typing import LiteralString

from tests.chaos.writers.plain import change
from tests.chaos.writers.session import FailedError, Session

_TRIES = 3


async def repeatable_read(session: Session) -> None:
    await _retried(session, "repeatable-read", "BEGIN ISOLATION LEVEL REPEATABLE READ")


async def serializable(session: Session) -> None:
    await _retried(session, "serializable", "BEGIN ISOLATION LEVEL SERIALIZABLE")


async def _retried(session: Session, kind: str, begin: LiteralString) -> None:
    cards = sorted(session.card() for _ in range(2))
    for attempt in range(1, _TRIES + 1):
        try:
            async with session.transaction(kind, begin=begin) as conn:
                await conn.execute("SELECT count(*) FROM opportunities WHERE board_id = 'b1'")
                for card in cards:
                    await change(conn, session, card)
        except FailedError:
            if attempt == _TRIES:
                raise
        else:
            return
