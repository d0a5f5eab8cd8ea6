"""SIGINT, SIGTERM and SIGHUP: the first one asks the process to stop, the second one ends it.

Invariant: nothing that was started outlives an orderly stop. Before the loop runs (and after) the first signal is a
KeyboardInterrupt, so that `with` blocks clean up; while it runs, it cancels the task that serves, which does the same.
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
    """`last_word` is called before the second signal ends the process."""

    def __init__(self, last_word: Callable[[], None] = lambda: None) -> None:
        self.last_word = last_word
        self._asked = False
        self._cancel: Callable[[], object] | None = None

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
                if not self._asked:
                    raise
            finally:
                self._cancel = None

    async def _cancellable(self, serving: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(serving)
        loop = asyncio.get_running_loop()
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self._asked:
            task.cancel()
        await task

    def _received(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            self.last_word()
            os._exit(128 + number)
        self._asked = True
        if self._cancel is None:
            raise KeyboardInterrupt
        self._cancel()
