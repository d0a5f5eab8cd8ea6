"""A rate limit for new streams.

Invariant: however many clients arrive at once, streams start at a fixed rate and in order of arrival, so connected clients
keep receiving events meanwhile. No client waits longer than MAX_WAIT: one that would is refused at once, with a retry
delay.
"""

import asyncio
import random

MAX_WAIT = 5.0
"""Seconds."""
_BURST_SECONDS = 0.1
"""Seconds' worth of streams that may start without waiting."""


class RateLimitedError(Exception):
    """Too many clients are waiting; `retry` is when to retry, in milliseconds."""

    def __init__(self, retry: int) -> None:
        super().__init__("too many clients at once")
        self.retry = retry


class RateLimiter:
    def __init__(self, rate: int) -> None:
        self._interval = 1 / rate
        self._next_free = 0.0

    async def acquire(self) -> None:
        """Wait until the next stream may start. Raises RateLimitedError."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        next_free = max(self._next_free, now) + self._interval
        wait = next_free - now - _BURST_SECONDS
        if wait > MAX_WAIT:
            # Spread retries over the time it takes to serve the clients that wait, starting after that.
            raise RateLimitedError(int(1000 * random.uniform(wait, 2 * wait)))  # noqa: S311 - spreads load, protects nothing
        self._next_free = next_free
        if wait > 0:
            # Wait for a point in time, not a duration: however late a task resumes, the order is kept.
            ready = loop.create_future()
            timer = loop.call_at(now + wait, ready.set_result, None)
            try:
                await ready
            finally:
                timer.cancel()
