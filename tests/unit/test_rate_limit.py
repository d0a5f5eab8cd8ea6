"""New streams start at a fixed rate and in order; one that would wait too long is refused with a retry delay."""

import asyncio

import pytest

from feed.access.rate_limit import MAX_WAIT, RateLimitedError, RateLimiter

RATE = 200


async def test_a_few_clients_do_not_wait() -> None:
    limiter = RateLimiter(RATE)
    begin = asyncio.get_running_loop().time()
    for _ in range(RATE // 10):
        await limiter.acquire()
    assert asyncio.get_running_loop().time() - begin < 0.09


async def test_many_clients_start_in_order_at_the_rate() -> None:
    limiter, loop = RateLimiter(RATE), asyncio.get_running_loop()
    started: list[int] = []

    async def start(n: int) -> None:
        await limiter.acquire()
        started.append(n)

    begin = loop.time()
    await asyncio.gather(*(start(n) for n in range(RATE // 2)))
    assert started == list(range(RATE // 2))
    assert loop.time() - begin >= 0.39


async def test_a_client_that_would_wait_too_long_gets_a_retry_delay() -> None:
    limiter = RateLimiter(10)
    waiting = [asyncio.create_task(limiter.acquire(), name="one") for _ in range(51)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimitedError) as refused:
        await limiter.acquire()
    assert MAX_WAIT * 1000 <= refused.value.retry <= 2.1 * MAX_WAIT * 1000
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
