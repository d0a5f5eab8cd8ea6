"""SIGINT, SIGTERM and SIGHUP: the first signal asks the process to stop, the second ends it.

Invariant: nothing that was started outlives an orderly stop. The first signal therefore interrupts no code: it cancels the
serving task, whose `with` blocks clean up. If there is no such task yet, the signal is remembered.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

import uvloop

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    def __init__(self) -> None:
        self.stop_requested = False
        """Whether a signal has asked the process to stop."""
        self.before_exit: Callable[[], None] = lambda: None
        """Called before the second signal ends the process."""
        self._cancel: Callable[[], object] = lambda: None

    def install(self) -> None:
        """Handle the signals, except those that the parent process has set to be ignored (nohup)."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._received)

    def run(self, serving: Coroutine[Any, Any, None]) -> None:
        """Run the coroutine until it ends by itself or because of a signal."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self._cancellable(serving))
            except asyncio.CancelledError:
                if not self.stop_requested:
                    raise

    async def _cancellable(self, serving: Coroutine[Any, Any, None]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(serving)
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self.stop_requested:
            task.cancel()
        try:
            await task
        finally:
            self._cancel = lambda: None

    def _received(self, number: int, _: FrameType | None) -> None:
        if self.stop_requested:
            self.before_exit()
            os._exit(128 + number)
        self.stop_requested = True
        self._cancel()
