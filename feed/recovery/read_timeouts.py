"""How long a read of the log may be silent: not for long at first, longer for one that has timed out before.

Invariant: a dead connection costs `FIRST` seconds, whoever uses it. A read that really takes longer (millions of rows to put in
order) is granted twice the time with each attempt, up to `MOST`, and so gets through; others are not kept waiting for that.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from typing import TypeVar

from db.connection import Connection, ReadTimeoutError

T = TypeVar("T")

FIRST = 6.0
"""Seconds to the next rows."""
MOST = 60.0
_KEPT = 1000
"""Reads that are remembered; the oldest is forgotten first."""


class ReadTimeouts:
    def __init__(self) -> None:
        self._seconds: dict[Hashable, float] = {}

    async def read(self, conn: Connection, key: Hashable, items: AsyncIterator[T]) -> AsyncGenerator[T]:
        """The items of a read, which `key` names in each attempt. Close it before the connection is given back.

        Raises ReadTimeoutError.
        """
        seconds = self._seconds.get(key, FIRST)
        with conn.silent_for(seconds):
            try:
                async for item in items:
                    yield item
            except ReadTimeoutError:
                self._seconds.pop(key, None)
                self._seconds[key] = min(2 * seconds, MOST)
                if len(self._seconds) > _KEPT:
                    del self._seconds[next(iter(self._seconds))]
                raise
        self._seconds.pop(key, None)
