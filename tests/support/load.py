"""A writer that updates one card continuously, and the events its readers must receive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg

from tests.support.database import Database
from tests.support.streams import Client, Message

DISABLE_NOTIFY: LiteralString = "SELECT feed.set_notify(false)"
"""Makes every write skip NOTIFY."""


class Writer:
    """Updates card o1 continuously. Failed writes are retried, so only the table says how many were committed."""

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
async def writing(database: Database, pause: float = 0.002) -> AsyncIterator[Writer]:
    """Write while the block runs, through any failure of the server."""
    writer = Writer(database, pause)
    task = asyncio.create_task(writer.run(), name="writer")
    try:
        yield writer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def card_version(database: Database) -> int:
    (row,) = await database.execute("SELECT version_number FROM opportunities WHERE id = 'o1'")
    return int(row["version_number"])


async def read_until_version(client: Client, last: int, timeout: float = 15) -> list[Message]:
    """Read the events of o1 up to a version, without duplicates."""
    seen: dict[int, Message] = {}
    while not seen or max(m.body["version"] for m in seen.values()) < last:
        message = await client.next_event(timeout)
        assert message.seq is not None
        seen.setdefault(message.seq, message)
    return list(seen.values())


def versions(messages: list[Message]) -> list[int]:
    return [m.body["version"] for m in messages]
