"""A loader that answers concurrent requests for single keys with one read for all of them.

Invariant: every result comes from a read that began after its request, so a client that has just written something
finds it. One read runs at a time, and requests that arrive meanwhile share the next one. So a thousand concurrent
requests cost two or three reads, and a single request waits for no other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

from feed.system.tasks import end

T = TypeVar("T")

_READ_TIMEOUT = 10.0
"""Seconds. Requests that arrive during a read also wait for its end."""

Read = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]


class BatchLoader(Generic[T]):
    """`read` looks up at most `max_keys` keys, and leaves out those that do not exist."""

    def __init__(self, read: Read[T], max_keys: int) -> None:
        self._read = read
        self._max_keys = max_keys
        self._pending: dict[str, asyncio.Future[T | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def load(self, key: str) -> T | None:
        """Look up one key; None if it does not exist. Raises what `read` raises, and TimeoutError."""
        future = self._pending.get(key)
        if future is None:
            future = self._pending[key] = asyncio.get_running_loop().create_future()
            # If it fails after all its callers have gone, asyncio must not report the exception as never retrieved.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="batch-loader")
        return await asyncio.shield(future)

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        try:
            while keys := list(islice(self._pending, self._max_keys)):
                futures = {key: self._pending.pop(key) for key in keys}
                try:
                    async with asyncio.timeout(_READ_TIMEOUT):
                        found = await self._read(keys)
                except Exception as error:  # noqa: BLE001 - the callers get it
                    for future in futures.values():
                        future.set_exception(error)
                except BaseException:
                    for future in futures.values():
                        future.cancel()
                    raise
                else:
                    for key, future in futures.items():
                        future.set_result(found.get(key))
        finally:
            self._task = None
            for future in self._pending.values():
                future.cancel()
            self._pending.clear()
