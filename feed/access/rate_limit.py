"""How fast streams begin.

Invariant: whatever number comes at once, so many a second are taken in, in the order in which they came: the clients who are here
are told what they are told meanwhile. Nobody waits longer than PATIENCE for his turn: who would is refused at once, and told when
to come back.
"""

import asyncio
import random

PATIENCE = 5.0
"""Seconds."""
_AT_ONCE = 0.1
"""Seconds' worth of them that need not wait at all."""


class RateLimitedError(Exception):
    """Too many are waiting already; `retry` is when to come back, in milliseconds."""

    def __init__(self, retry: int) -> None:
        super().__init__("too many come at once")
        self.retry = retry


class RateLimiter:
    def __init__(self, rate: int) -> None:
        self._each = 1 / rate
        self._full = 0.0

    async def turn(self) -> None:
        """Wait for one's turn. Raises RateLimitedError."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        full = max(self._full, now) + self._each
        wait = full - now - _AT_ONCE
        if wait > PATIENCE:
            # Spread over as long as it takes to serve those who wait, after they have been.
            raise RateLimitedError(int(1000 * random.uniform(wait, 2 * wait)))  # noqa: S311 - spreads load, guards nothing
        self._full = full
        if wait > 0:
            # At a time, not after one: however late this goes on, the order is that of the times.
            turn = loop.create_future()
            alarm = loop.call_at(now + wait, turn.set_result, None)
            try:
                await turn
            finally:
                alarm.cancel()
