"""Ending a task."""

import asyncio
import contextlib

from feed.system.tasks import end


async def test_end_cancels_a_task_that_swallowed_one_cancel() -> None:
    waiting = asyncio.Event()

    async def loop() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            waiting.set()
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(loop())
    await waiting.wait()
    async with asyncio.timeout(10):
        await end(task)
    assert task.cancelled()


async def test_end_does_not_raise_the_exception_of_the_task() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    await end(task)
