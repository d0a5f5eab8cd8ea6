"""Database reads on behalf of DBAs.

Invariant: few run at a time, however many DBAs there are. See db.dba.reading for what each may do.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import dba

_MAX_CONCURRENT = 3


class DbaReads:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._slots = asyncio.Semaphore(_MAX_CONCURRENT)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Wait for a free slot, then open a connection for reading."""
        async with self._slots, dba.bounded_read(self._engine) as conn:
            yield conn
