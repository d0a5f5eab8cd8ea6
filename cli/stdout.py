"""Writing to a standard output that may be slow: a pager that nobody scrolls, a program that is busy.

Invariant: the event loop is never blocked, and the caller is notified of a long wait while it lasts.
"""

import asyncio
import os
import select
import sys
from collections.abc import Awaitable, Callable

from cli.failures import UNAVAILABLE, FailureError
from cli.output import exit_on_closed_pipe

_WITHOUT_BLOCKING = 4096
"""Bytes that a pipe accepts without blocking once it is writable (PIPE_BUF)."""
_POLL_INTERVAL = 0.05
_STALLED = 3.0
"""Seconds of waiting after which the reader counts as stalled."""


def is_writable() -> bool:
    """Whether standard output accepts data now. Ends the command if its reader is gone."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    events = dict(poll.poll(0)).get(sys.stdout.fileno(), 0)
    if events & (select.POLLERR | select.POLLHUP):
        exit_on_closed_pipe()
    return bool(events & select.POLLOUT)


async def write(text: str, on_stall: Callable[[], Awaitable[None]]) -> None:
    """Write all of the text. `on_stall` is called once if the reader stalls."""
    sys.stdout.flush()
    rest, waited = memoryview(text.encode(errors="replace")), 0.0
    while rest:
        if not is_writable():
            await asyncio.sleep(_POLL_INTERVAL)
            waited += _POLL_INTERVAL
            if waited - _POLL_INTERVAL < _STALLED <= waited:
                await on_stall()
            continue
        try:
            rest = rest[os.write(sys.stdout.fileno(), rest[:_WITHOUT_BLOCKING]) :]
        except BrokenPipeError:
            exit_on_closed_pipe()
        except OSError as error:  # such as a full disk; not to be mistaken for a lost database connection
            raise FailureError(UNAVAILABLE, f"cannot write to standard output: {error.strerror}") from None
