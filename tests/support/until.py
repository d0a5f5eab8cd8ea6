"""Wait for a condition instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

POLL = 0.01


@overload
async def until(condition: Callable[[], Awaitable[T]], *, timeout: float = ..., what: str = ...) -> T: ...
@overload
async def until(condition: Callable[[], T], *, timeout: float = ..., what: str = ...) -> T: ...
async def until(condition: Callable[[], Any], *, timeout: float = 5.0, what: str = "") -> Any:
    """Poll until the result is truthy and return it; fail after `timeout` seconds with the last result."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        result = condition()
        result = await result if inspect.isawaitable(result) else result
        if result:
            return result
        if loop.time() >= deadline:
            name = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"waited {timeout} s for {name}; last result: {result!r}")
        await asyncio.sleep(POLL)


def wait_until(condition: Callable[[], T], *, timeout: float = 5.0, what: str = "") -> T:
    """Like `until`, without an event loop."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}; last result: {result!r}"
        time.sleep(POLL)
    return result
