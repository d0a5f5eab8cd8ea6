"""Who runs where: what serves and the load each have a processor, for clients are elsewhere in life."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def apart(*pids: int) -> Iterator[None]:
    """Keep these processes, with all their threads, and this one off each other's processor; PostgreSQL may use both.

    The kernel else wakes a reader on the processor of its writer.
    """
    allowed = os.sched_getaffinity(0)
    first, *others = sorted(allowed)
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {first})
    os.sched_setaffinity(0, others or {first})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
