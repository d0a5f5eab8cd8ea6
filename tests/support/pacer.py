"""Write load that makes a pacer take over, and the state of the pacer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from feed.notify.mode import Mode
from feed.runtime import Runtime
from tests.support.database import Database
from tests.support.until import until

# The board has no members, so these writes are read from the log but delivered to no client.
_CARD = """
INSERT INTO feed.boards (id, name, phases) VALUES ('unwatched', 'Unwatched', '[]') ON CONFLICT DO NOTHING;
INSERT INTO opportunities (id, board_id) SELECT 'busy' || n, 'unwatched' FROM generate_series(1, 3) AS n ON CONFLICT DO NOTHING;
"""
_WRITERS = 3
"""So many that a read pass finds more than one change, even if this process gets little of the processor."""


@asynccontextmanager
async def heavy_writes(database: Database) -> AsyncIterator[None]:
    """Write as fast as a few connections can while the block runs."""
    await database.execute(_CARD)

    async def write(card: str) -> None:
        async with await database.connect() as conn:
            while True:
                await conn.execute("UPDATE opportunities SET notes = clock_timestamp()::text WHERE id = %s", [card])

    tasks = [asyncio.create_task(write(f"busy{n + 1}"), name="heavy writes") for n in range(_WRITERS)]
    try:
        yield
        assert not any(task.done() for task in tasks), "the heavy writes failed"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def wait_for_mode(runtime: Runtime, *wanted: Mode, timeout: float = 10) -> None:
    """Wait until the pacer is in one of these modes."""
    await until(lambda: runtime.pacer.mode in wanted, timeout=timeout, what=f"{wanted}, after {runtime.pacer.mode}")


async def pacer_lease(database: Database) -> dict[str, Any]:
    """Read the pacer's lease and how far ahead of the clock NOTIFY is suppressed (in ms)."""
    (row,) = await database.execute(
        "SELECT p.*, p.until > clock_timestamp() AS held, s.last_value AS suppressed_until, "
        "s.last_value - date_part('epoch', clock_timestamp()) * 1000 AS ahead "
        "FROM feed.pacer AS p CROSS JOIN feed.notify_suppressed_until AS s"
    )
    return row
