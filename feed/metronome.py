"""The metronome: sweeps every few milliseconds, as long as it beats.

Invariant: while it beats, a sweep begins soon after the last one has ended, whatever rings and whatever does not. So a bell then
says nothing new, and what many have written meanwhile is one sweep. It needs no connection but the tailer's.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from feed.system.tasks import end

_SHORTEST = 0.002
"""Seconds of rest after a sweep, at least."""
_SHARE = 1.5
"""A rest is so many times as long as its sweep took: most of the time is left for others."""
_LONGEST = 0.04
"""A sweep of this length and its rest are well below the 100 ms that a change may wait."""
_IDLE = 0.016
"""Up to so long where sweeps find nothing."""


class Metronome:
    """`swept` makes a sweep that begins from now on, and waits for its end."""

    def __init__(self, swept: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._swept = swept
        self._found = False
        self._task: asyncio.Task[None] | None = None

    @property
    def beating(self) -> bool:
        return self._task is not None

    def found(self) -> None:
        """A sweep has found something."""
        self._found = True

    def begin(self) -> None:
        self._task = asyncio.create_task(self._beat(), name="metronome")

    async def end(self) -> None:
        """Idempotent; complete when it returns. A bell that was heard during the last beat is the caller's."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        rest = _SHORTEST
        while True:
            began, self._found = clock(), False
            await self._swept()
            least = min(max(_SHORTEST, _SHARE * (clock() - began)), _LONGEST)
            rest = least if self._found else min(max(least, 2 * rest), max(least, _IDLE))
            await asyncio.sleep(rest)
