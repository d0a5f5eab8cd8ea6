"""Ending a task."""

import asyncio
import contextlib

from feed.system.tasks import end


async def test_a_task_that_has_lost_a_cancel_is_ended_all_the_same() -> None:
    lost = asyncio.Event()

    async def loop() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            lost.set()
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(loop())
    await lost.wait()
    async with asyncio.timeout(10):
        await end(task)
    assert task.cancelled()


async def test_what_a_task_raised_is_its_own() -> None:
    async def wrong() -> None:
        raise ValueError

    task = asyncio.create_task(wrong())
    await asyncio.wait({task})
    await end(task)
