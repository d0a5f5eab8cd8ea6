"""The poll loop: reads the log every few milliseconds while many transactions write, at an adaptive interval.

Invariant: while it runs, a read pass begins soon after the last one has ended, with or without a notification. A
notification then adds nothing, and one pass covers the changes of many writers. It uses only the tailer's connection.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from feed.system.supervisor import Supervisor
from feed.system.tasks import end

_MIN_PAUSE = 0.002
"""Seconds between passes, at least."""
_PAUSE_RATIO = 1.5
"""The pause is this many times as long as its pass took, to leave most of the time to other work."""
_MAX_PAUSE = 0.04
"""Upper limit in seconds. A pass of this length plus its pause stays well below the 100 ms that a change may wait."""
_MAX_IDLE_PAUSE = 0.016
"""Upper limit in seconds while passes find nothing."""


class PollLoop:
    """`wait_for_pass` requests a pass that begins from now on, and waits for its end."""

    def __init__(self, wait_for_pass: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._wait_for_pass = wait_for_pass
        self._found_changes = False
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None

    def note_changes(self) -> None:
        """Record that a pass found changes."""
        self._found_changes = True

    def start(self, supervisor: Supervisor) -> None:
        self._task = supervisor.start("poll loop", self._run)

    async def stop(self) -> None:
        """Idempotent; complete when it returns. The caller handles a notification that arrives during the last pass."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        pause = _MIN_PAUSE
        while True:
            started, self._found_changes = clock(), False
            await self._wait_for_pass()
            base = min(max(_MIN_PAUSE, _PAUSE_RATIO * (clock() - started)), _MAX_PAUSE)
            pause = base if self._found_changes else min(max(base, 2 * pause), max(base, _MAX_IDLE_PAUSE))
            await asyncio.sleep(pause)
