"""Prints the progress of a run on standard error."""

import asyncio
import faulthandler
import sys
import time

_STARTED = time.monotonic()


def progress(text: str) -> None:
    sys.stderr.write(f"{time.monotonic() - _STARTED:7.1f}  {text}\n")
    sys.stderr.flush()


def print_tasks() -> None:
    """Print the stacks of all tasks and threads, for a run that hangs."""
    for task in asyncio.all_tasks():
        sys.stderr.write(f"--- {task.get_name()}\n")
        task.print_stack(limit=4, file=sys.stderr)
    faulthandler.dump_traceback(all_threads=True)
    sys.stderr.flush()
