"""SIGINT, SIGTERM and SIGHUP: the first one asks the process to stop, the second one ends it.

Invariant: nothing that was started outlives an orderly stop. So the first signal interrupts nothing: it cancels the task that
serves, whose `with` blocks clean up, or is remembered until there is one.
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
        self.asked = False
        """Whether a signal has asked to stop."""
        self.last_word: Callable[[], None] = lambda: None
        """Called before the second signal ends the process."""
        self._cancel: Callable[[], object] = lambda: None

    def install(self) -> None:
        """Take the signals over, but for those that whoever started us has switched off (nohup)."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._received)

    def run(self, serving: Coroutine[Any, Any, None]) -> None:
        """Run until it ends, or a signal has ended it."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self._cancellable(serving))
            except asyncio.CancelledError:
                if not self.asked:
                    raise

    async def _cancellable(self, serving: Coroutine[Any, Any, None]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(serving)
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self.asked:
            task.cancel()
        try:
            await task
        finally:
            self._cancel = lambda: None

    def _received(self, number: int, _: FrameType | None) -> None:
        if self.asked:
            self.last_word()
            os._exit(128 + number)
        self.asked = True
        self._cancel()
