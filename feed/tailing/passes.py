"""The read passes of a tailer: how many there were, when the last one ended, and the wait for the next one."""

import asyncio
import math
import time


class Passes:
    def __init__(self) -> None:
        self.done = 0
        """How many times the log has been read to its end."""
        self._begun = 0
        self._ended_at = -math.inf
        self._ended = asyncio.Condition()

    @property
    def since_read(self) -> float:
        """Seconds since the log was last read to its end; infinite before the first pass."""
        return time.monotonic() - self._ended_at

    def begin(self) -> None:
        self._begun += 1

    async def end(self) -> None:
        self._ended_at = time.monotonic()
        async with self._ended:
            self.done = self._begun
            self._ended.notify_all()

    async def wait_for_next(self) -> None:
        """Wait until a pass that begins after this call has ended."""
        target = self._begun + 1
        async with self._ended:
            await self._ended.wait_for(lambda: self.done >= target)
