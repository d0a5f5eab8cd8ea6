"""The poll loop: reads the log every few milliseconds while many write, at an adaptive interval.

Invariant: while it runs, a read pass begins soon after the last one has ended, with or without a notification. A
notification then adds nothing, and one pass covers what many have written. It needs no connection but the tailer's.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from feed.system.tasks import end

_SHORTEST = 0.002
"""Seconds of rest after a pass, at least."""
_SHARE = 1.5
"""A rest is this many times as long as its pass took: most of the time is left for others."""
_LONGEST = 0.04
"""A pass of this length and its rest are well below the 100 ms that a change may wait."""
_IDLE = 0.016
"""Up to this long while passes find nothing."""


class PollLoop:
    """`wait_for_pass` asks for a pass that begins from now on, and waits for its end."""

    def __init__(self, wait_for_pass: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._wait_for_pass = wait_for_pass
        self._found = False
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None

    def found(self) -> None:
        """A pass has found something."""
        self._found = True

    def begin(self) -> None:
        self._task = asyncio.create_task(self._run(), name="poll loop")

    async def end(self) -> None:
        """Idempotent; complete when it returns. The caller handles a notification that arrives during the last pass."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        rest = _SHORTEST
        while True:
            began, self._found = clock(), False
            await self._wait_for_pass()
            least = min(max(_SHORTEST, _SHARE * (clock() - began)), _LONGEST)
            rest = least if self._found else min(max(least, 2 * rest), max(least, _IDLE))
            await asyncio.sleep(rest)
