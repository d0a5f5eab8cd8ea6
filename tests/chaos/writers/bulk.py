"""Statements of thousands of rows."""

from tests.chaos.world import schema
from tests.chaos.writers.session import Session


async def bulk(session: Session) -> None:
    """Update all cards of the large board, or fewer than the resync threshold."""
    rows = session.rng.choice([schema.BULK, schema.BULK, 1500, 900])
    async with session.transaction("bulk", patience=30) as conn:
        await conn.execute("SET LOCAL statement_timeout = '20s'")
        await conn.execute(
            "UPDATE opportunities SET probability = (coalesce(probability, 0) + 1) %% 101"
            " WHERE id IN (SELECT format('bulk-c%%s', n) FROM generate_series(1, %s) AS n)",
            [rows],
        )
