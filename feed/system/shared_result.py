"""One computation for all callers who ask at the same time, for what any client may request.

Invariant: a result is computed after all its callers have asked. One computation runs at a time, and the pause after each limits
them to a tenth of the time, or to ten a second if they take long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_PAUSE = 9
"""How many times as long as a computation the pause after it is."""
_LONGEST_PAUSE = 0.1
"""Seconds."""


class SharedResult(Generic[T]):
    def __init__(self, compute: Callable[[], Awaitable[T]]) -> None:
        self._compute = compute
        self._turn = asyncio.Lock()
        self._started = 0
        """Computations that have started."""
        self._latest: tuple[int, T] | None = None
        """The latest result, and which computation it is from."""
        self._next_at = 0.0

    async def get(self) -> T:
        """Return a result that is computed from now on. Raises what the computation raises."""
        clock = asyncio.get_running_loop().time
        before = self._started
        async with self._turn:
            if self._latest is not None and self._latest[0] > before:
                return self._latest[1]
            await asyncio.sleep(self._next_at - clock())
            self._started += 1
            number, began = self._started, clock()
            try:
                result = await self._compute()
            finally:
                self._next_at = clock() + min(_PAUSE * (clock() - began), _LONGEST_PAUSE)
            self._latest = number, result
            return result
