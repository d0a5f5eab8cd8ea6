"""Many who ask at once, asked for together.

Invariant: every answer comes from a read that began after its question, so who has just written something finds it. One read is
under way at a time; whoever comes meanwhile shares the next one. So a thousand who come at once cost two or three reads, and
who comes alone waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

from feed.system.tasks import end

T = TypeVar("T")

_PATIENCE = 10.0
"""Seconds that a read may take: those who come meanwhile wait for its end, too."""

Read = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]


class Gatherer(Generic[T]):
    """`read` finds up to `most` keys in one go; it is left out of its answer what there is not."""

    def __init__(self, read: Read[T], most: int) -> None:
        self._read = read
        self._most = most
        self._asked: dict[str, asyncio.Future[T | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: str) -> T | None:
        """Ask for one; None where there is none. Raises what `read` raises, and TimeoutError."""
        future = self._asked.get(key)
        if future is None:
            future = self._asked[key] = asyncio.get_running_loop().create_future()
            # Its askers may all have gone when it fails.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="gatherer")
        return await asyncio.shield(future)

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        try:
            while keys := list(islice(self._asked, self._most)):
                futures = {key: self._asked.pop(key) for key in keys}
                try:
                    async with asyncio.timeout(_PATIENCE):
                        found = await self._read(keys)
                except Exception as error:  # noqa: BLE001 - it is the askers'
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
            for future in self._asked.values():
                future.cancel()
            self._asked.clear()
