"""How long a read of the log may wait for its next rows: briefly at first, longer for a read that has timed out before.

Invariant: a dead connection costs `INITIAL_TIMEOUT` seconds, whichever read uses it. A read that really takes longer
(sorting millions of rows) gets twice the time with each attempt, up to `MAX_TIMEOUT`, and so succeeds without making
other reads wait that long.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from typing import TypeVar

from db.connection import Connection, ReadTimeoutError

T = TypeVar("T")

INITIAL_TIMEOUT = 6.0
"""Seconds to the next rows."""
MAX_TIMEOUT = 60.0
_MAX_REMEMBERED = 1000
"""Number of reads to remember; the oldest is forgotten first."""


class ReadTimeouts:
    def __init__(self) -> None:
        self._seconds: dict[Hashable, float] = {}

    async def read(self, conn: Connection, key: Hashable, items: AsyncIterator[T]) -> AsyncGenerator[T]:
        """Yield the items of a read. `key` identifies the read across its attempts.

        Close the generator before you return the connection. Raises ReadTimeoutError.
        """
        seconds = self._seconds.get(key, INITIAL_TIMEOUT)
        with conn.silent_for(seconds):
            try:
                async for item in items:
                    yield item
            except ReadTimeoutError:
                self._seconds.pop(key, None)
                self._seconds[key] = min(2 * seconds, MAX_TIMEOUT)
                if len(self._seconds) > _MAX_REMEMBERED:
                    del self._seconds[next(iter(self._seconds))]
                raise
        self._seconds.pop(key, None)
