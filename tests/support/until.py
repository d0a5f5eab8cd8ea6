"""Waiting for a condition, never for a time."""

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
    """Ask until the answer is truthy, and return it; fail after `timeout` seconds with the last answer."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        asked = condition()
        answer = await asked if inspect.isawaitable(asked) else asked
        if answer:
            return answer
        if loop.time() >= deadline:
            name = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"waited {timeout} s for {name}; last answer: {answer!r}")
        await asyncio.sleep(POLL)


def wait_until(condition: Callable[[], T], *, timeout: float = 5.0, what: str = "") -> T:
    """Do what `until` does, where there is no event loop."""
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}; last answer: {answer!r}"
        time.sleep(POLL)
    return answer
