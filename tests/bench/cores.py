"""Gives the server process and the load a core each, because real clients run on other machines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def apart(*pids: int) -> Iterator[None]:
    """Keep these processes (all threads) and this one on separate cores; PostgreSQL may use both.

    Otherwise the kernel wakes a reader on the core of its writer.
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
