"""Many who write at once, so that a pacer takes over, and what it says of itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from feed.notify.pacer import Mode
from feed.runtime import Runtime
from tests.support.database import Database
from tests.support.until import until

CARD = "busy"
"""A card on a board that nobody sees: what happens to it is swept, and told to no client."""

_ROW = """
INSERT INTO boards (id, name, phases) VALUES ('unseen', 'Unseen', '[]') ON CONFLICT DO NOTHING;
INSERT INTO opportunities (id, board_id) VALUES ('busy', 'unseen') ON CONFLICT DO NOTHING;
"""


@asynccontextmanager
async def crowd(database: Database) -> AsyncIterator[None]:
    """As much as a connection can write, while the block runs."""
    async with await database.connect() as conn:
        await conn.execute(_ROW)

        async def write() -> None:
            while True:
                await conn.execute("UPDATE opportunities SET notes = clock_timestamp()::text WHERE id = 'busy'")

        task = asyncio.create_task(write(), name="crowd")
        try:
            yield
            assert not task.done(), "the crowd could not write"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def mode(hub: Runtime, *wanted: Mode, timeout: float = 10) -> None:
    """Wait for the pacer to be in one of these modes."""
    await until(lambda: hub.pacer.mode in wanted, timeout=timeout, what=f"{wanted}, after {hub.pacer.mode}")


async def lease(database: Database) -> dict[str, Any]:
    (row,) = await database.execute(
        "SELECT p.*, p.until > clock_timestamp() AS held, s.last_value AS pulse, "
        "s.last_value - date_part('epoch', clock_timestamp()) * 1000 AS ahead "
        "FROM feed.pacer AS p CROSS JOIN feed.notify_suppressed_until AS s"
    )
    return row
