"""Ending a task that one owns.

Invariant: when end() returns or raises, the task has ended, whatever it was waiting for and whoever gives up waiting.
"""

import asyncio

_AGAIN = 0.1
"""Seconds after which a task that lives on is cancelled again."""


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended; what they raised is theirs.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, by which the pool of connections waits, loses a cancel that comes
    at the moment when it has what it waited for (https://github.com/python/cpython/issues/86296), and a loop then goes on.
    """
    cancelled: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=_AGAIN)
        except asyncio.CancelledError as error:
            cancelled = error  # ours to pass on, once nothing is left behind
    await asyncio.gather(*tasks, return_exceptions=True)
    if cancelled is not None:
        raise cancelled
