"""Somebody who writes all the time, and what the readers must then have seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg

from tests.support.database import Database
from tests.support.streams import Client, Message

NO_BELL: LiteralString = (
    "CREATE OR REPLACE FUNCTION feed.notify(seq bigint, relation text, op text) RETURNS void LANGUAGE sql AS ''"
)
"""Nobody is woken any more."""


class Load:
    """Changes card o1 again and again; a write that fails is tried again, so whether it was committed is for the table to say."""

    def __init__(self, database: Database, pause: float) -> None:
        self._database = database
        self._pause = pause
        self.written = 0
        self.failed = 0

    async def run(self) -> None:
        while True:
            try:
                async with await self._database.connect(connect_timeout=2) as conn:
                    while True:
                        await conn.execute("UPDATE opportunities SET notes = %s WHERE id = 'o1'", [str(self.written)])
                        self.written += 1
                        await asyncio.sleep(self._pause)
            except psycopg.OperationalError:
                self.failed += 1
                await asyncio.sleep(0.02)


@asynccontextmanager
async def writing(database: Database, pause: float = 0.002) -> AsyncIterator[Load]:
    """Write while the block runs, through whatever happens to the server."""
    load = Load(database, pause)
    task = asyncio.create_task(load.run(), name="load")
    try:
        yield load
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def version(database: Database) -> int:
    (row,) = await database.execute("SELECT version_number FROM opportunities WHERE id = 'o1'")
    return int(row["version_number"])


async def read_to(client: Client, last: int, timeout: float = 15) -> list[Message]:
    """Read the events of o1 up to a version, repeats dropped."""
    seen: dict[int, Message] = {}
    while not seen or max(m.body["version"] for m in seen.values()) < last:
        message = await client.next_event(timeout)
        assert message.seq is not None
        seen.setdefault(message.seq, message)
    return list(seen.values())


def versions(messages: list[Message]) -> list[int]:
    return [m.body["version"] for m in messages]
