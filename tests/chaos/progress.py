"""A line on standard error for each thing that a run does, so that one sees where it is."""

import asyncio
import faulthandler
import sys
import time

_BEGUN = time.monotonic()


def progress(text: str) -> None:
    sys.stderr.write(f"{time.monotonic() - _BEGUN:7.1f}  {text}\n")
    sys.stderr.flush()


def print_tasks() -> None:
    """Say where every task and every thread is: for a run that does not go on."""
    for task in asyncio.all_tasks():
        sys.stderr.write(f"--- {task.get_name()}\n")
        task.print_stack(limit=4, file=sys.stderr)
    faulthandler.dump_traceback(all_threads=True)
    sys.stderr.flush()
