"""The tasks that an object owns: starting one, and ending them.

Invariant: when end() returns or raises, the tasks have ended, whatever they were waiting for, even if the caller was canceled.
"""

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar

from feed.system.supervisor import Supervisor

_RETRY_INTERVAL = 0.1
"""Seconds after which a task that has not ended is canceled again."""


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended. Their exceptions are dropped.

    Canceling once is not enough: before Python 3.12, `asyncio.wait_for`, which the connection pool uses, loses a cancellation that
    arrives together with its result (https://github.com/python/cpython/issues/86296), and a loop then continues.
    """
    cancelled: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=_RETRY_INTERVAL)
        except asyncio.CancelledError as error:
            cancelled = error  # raised below, once all tasks have ended
    await asyncio.gather(*tasks, return_exceptions=True)
    if cancelled is not None:
        raise cancelled


class BackgroundTask(ABC):
    """An object with one task, which runs from start() to stop()."""

    task_name: ClassVar[str]
    _task: asyncio.Task[None] | None = None

    def start(self, supervisor: Supervisor) -> None:
        self._task = supervisor.start(self.task_name, self._run)

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    @abstractmethod
    async def _run(self) -> None:
        """Run until it is canceled. Called again if it fails."""
