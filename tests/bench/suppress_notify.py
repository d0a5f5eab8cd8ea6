"""NOTIFY suppressed as the pacer does it, but without anyone reading the log, to measure writers alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from feed.system.tasks import end

_AHEAD = 800
"""Milliseconds for which NOTIFY is suppressed: less than the second beyond which writers ignore it."""
_INTERVAL = 0.2


@asynccontextmanager
async def notify_suppressed(url: str) -> AsyncIterator[None]:
    """Keep writers from sending NOTIFY."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:

        async def extend() -> None:
            while True:
                await conn.execute(
                    "SELECT setval('feed.notify_suppressed_until', (extract(epoch FROM clock_timestamp()) * 1000)::bigint + %s)",
                    (_AHEAD,),
                )
                await asyncio.sleep(_INTERVAL)

        extending = asyncio.create_task(extend(), name="suppress NOTIFY")
        try:
            yield
        finally:
            await end(extending)
