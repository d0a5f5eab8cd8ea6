"""Standard output that may be slow: a pager that is not scrolled on, a program that thinks.

Invariant: nothing here blocks the loop, and whoever holds something that others wait for is told before a long wait.
"""

import asyncio
import os
import select
import sys
from collections.abc import Awaitable, Callable

from cli.failures import TAKEN, FailureError
from cli.output import end_unread

_AT_ONCE = 4096
"""Bytes that a pipe takes without blocking once it is ready (PIPE_BUF)."""
_LOOK = 0.05
_SLOW = 3.0
"""Seconds of waiting after which it is slow."""


def ready() -> bool:
    """Whether it takes something now. Ends the command where nobody reads any more."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    events = dict(poll.poll(0)).get(sys.stdout.fileno(), 0)
    if events & (select.POLLERR | select.POLLHUP):
        end_unread()
    return bool(events & select.POLLOUT)


async def write(lines: str, slow: Callable[[], Awaitable[None]]) -> None:
    """Write all of it; `slow` is called once if that takes long."""
    sys.stdout.flush()
    rest, waited = memoryview(lines.encode(errors="replace")), 0.0
    while rest:
        if not ready():
            await asyncio.sleep(_LOOK)
            waited += _LOOK
            if waited - _LOOK < _SLOW <= waited:
                await slow()
            continue
        try:
            rest = rest[os.write(sys.stdout.fileno(), rest[:_AT_ONCE]) :]
        except BrokenPipeError:
            end_unread()
        except OSError as error:  # a full disk, which is not to be taken for a lost connection
            raise FailureError(TAKEN, f"what is shown cannot be written: {error.strerror}") from None
