"""Of those who come at once so many a second are taken in, in order; who would wait too long is told when to come back."""

import asyncio

import pytest

from feed.access.rate_limit import MAX_WAIT, RateLimitedError, RateLimiter

RATE = 200


async def test_few_wait_for_nothing() -> None:
    limiter = RateLimiter(RATE)
    begin = asyncio.get_running_loop().time()
    for _ in range(RATE // 10):
        await limiter.acquire()
    assert asyncio.get_running_loop().time() - begin < 0.09


async def test_many_come_in_order_and_no_faster() -> None:
    limiter, loop = RateLimiter(RATE), asyncio.get_running_loop()
    came: list[int] = []

    async def come(n: int) -> None:
        await limiter.acquire()
        came.append(n)

    begin = loop.time()
    await asyncio.gather(*(come(n) for n in range(RATE // 2)))
    assert came == list(range(RATE // 2))
    assert loop.time() - begin >= 0.39


async def test_who_would_wait_too_long_is_told_when_to_come_back() -> None:
    limiter = RateLimiter(10)
    waiting = [asyncio.create_task(limiter.acquire(), name="one") for _ in range(51)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimitedError) as refused:
        await limiter.acquire()
    assert MAX_WAIT * 1000 <= refused.value.retry <= 2.1 * MAX_WAIT * 1000
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
