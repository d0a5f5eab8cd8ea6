"""The supervisor of a service's long-lived tasks: a task that fails is started again until its owner stops it.

Invariant: whatever a task raises, the failure is logged with its traceback and counted, and the task is down until it has run for
a while again. A task also fails if it returns, or is canceled by anybody but its owner.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import structlog
from prometheus_client import Counter

from feed.system.backoff import backoff

_UP_AFTER = 3.0
"""Seconds after which a restarted task is no longer down. Most tasks that are broken fail again sooner."""

log = structlog.get_logger()


class Supervisor:
    """`failures` is a counter with the label `task`."""

    def __init__(self, failures: Counter) -> None:
        self._failures = failures
        self._down: set[str] = set()

    @property
    def down(self) -> list[str]:
        """The names of the tasks that failed and are not up again."""
        return sorted(self._down)

    def start(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Run until the returned task is canceled, see feed.system.tasks.end(). `run` is called again after each failure."""
        self._failures.labels(name)
        return asyncio.create_task(self._supervise(name, run), name=name)

    async def _supervise(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop = asyncio.get_running_loop()
        delays: Iterator[float] = backoff()
        try:
            while True:
                started = loop.time()
                up = loop.call_later(_UP_AFTER, self._down.discard, name)
                try:
                    error = await _failure(run)
                finally:
                    up.cancel()
                self._down.add(name)
                self._failures.labels(name).inc()
                log.error("task failed; restarting", task=name, exc_info=error)
                if loop.time() - started >= _UP_AFTER:
                    delays = backoff()
                await asyncio.sleep(next(delays))
        finally:
            self._down.discard(name)


async def _failure(run: Callable[[], Coroutine[Any, Any, None]]) -> BaseException:
    """Run a task and return why it ended. Raises CancelledError if its owner canceled it."""
    current = asyncio.current_task()
    try:
        await run()
    except asyncio.CancelledError as error:
        if current is None or current.cancelling():
            raise
        return error
    except Exception as error:  # noqa: BLE001 - the supervisor logs it
        return error
    return RuntimeError("the task returned")
