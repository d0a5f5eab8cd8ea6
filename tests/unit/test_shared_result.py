"""What callers who ask at the same time share."""

import asyncio

import pytest

from feed.system.shared_result import SharedResult
from tests.support.until import until


class Computation:
    """Returns 1, then 2, and so on, each when `proceed` is released."""

    def __init__(self) -> None:
        self.begun = 0
        self.proceed = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.proceed.acquire()
        if self.error is not None:
            raise self.error
        return number


async def begun(computation: Computation, number: int) -> None:
    await until(lambda: computation.begun >= number, what="the computation to begin")


async def test_all_who_ask_during_a_computation_share_the_next() -> None:
    computation = Computation()
    shared = SharedResult(computation)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(shared.get())
        await begun(computation, 1)
        later = [group.create_task(shared.get()) for _ in range(100)]
        computation.proceed.release()
        await begun(computation, 2)
        last = group.create_task(shared.get())
        await asyncio.sleep(0)
        computation.proceed.release()
        computation.proceed.release()
    assert first.result() == 1
    assert {each.result() for each in later} == {2}
    assert last.result() == 3  # it asked when the second had begun, whose result may be older than the question


async def test_the_one_who_computes_may_be_canceled() -> None:
    computation = Computation()
    shared = SharedResult(computation)
    async with asyncio.TaskGroup() as group:
        canceled = asyncio.create_task(shared.get())
        await begun(computation, 1)
        other = group.create_task(shared.get())
        canceled.cancel()
        await begun(computation, 2)
        computation.proceed.release()
    assert canceled.cancelled()
    assert other.result() == 2


async def test_an_error_is_raised_and_the_next_one_computes_again() -> None:
    computation = Computation()
    shared = SharedResult(computation)
    computation.error = ValueError("no")
    computation.proceed.release()
    with pytest.raises(ValueError, match="no"):
        await shared.get()
    computation.error = None
    computation.proceed.release()
    assert await shared.get() == 2


@pytest.mark.parametrize(("takes", "pause"), [(0.001, 0.009), (0.005, 0.045), (3.0, 0.1)])
async def test_a_computation_has_a_tenth_of_the_time(
    monkeypatch: pytest.MonkeyPatch, takes: float, pause: float
) -> None:
    now, pauses = 1000.0, list[float]()

    async def pass_time() -> None:
        nonlocal now
        now += takes

    async def sleep(seconds: float) -> None:
        nonlocal now
        pauses.append(seconds)
        now += max(seconds, 0)

    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    monkeypatch.setattr("feed.system.shared_result.asyncio.sleep", sleep)
    shared = SharedResult(pass_time)
    for _ in range(3):
        await shared.get()
    monkeypatch.undo()
    assert pauses[0] < 0
    assert pauses[1:] == pytest.approx([pause, pause])
