"""`python -m tests.chaos`: one run, configured by SEED, SECONDS, FAULTS and BUG in the environment.

FAULTS is a list such as `primary-killed,rst-*`, `all` or `none`. REPORT names a file for the report as JSON, JOURNAL one for
all recorded events. The exit status is 0 without a verdict; otherwise each verdict is printed and the status is 1.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import uvloop

from tests.chaos.faults import registry
from tests.chaos.progress import print_tasks
from tests.chaos.report import Report
from tests.chaos.run import Options, run


def main() -> int:
    seed = os.environ.get("SEED") or str(random.SystemRandom().randint(1, 999_999))
    options = Options(
        seed=int(seed),
        seconds=float(os.environ.get("SECONDS") or 120),
        faults=os.environ.get("FAULTS") or "all",
        bug=os.environ.get("BUG") or None,
        journal=Path(os.environ["JOURNAL"]) if os.environ.get("JOURNAL") else None,
    )
    try:
        registry.select(options.faults)
    except ValueError as error:
        sys.exit(str(error))
    sys.stdout.write(f"chaos run: seed {options.seed}, {options.seconds:.0f} s, faults: {options.faults}\n")
    sys.stdout.flush()
    report = uvloop.run(_run(options))
    if name := os.environ.get("REPORT"):
        Path(name).write_text(report.as_json())
    sys.stdout.write(report.text() + "\n")
    return 1 if report.verdicts else 0


async def _run(options: Options) -> Report:
    """Run. SIGTERM stops the run and everything that it started, SIGUSR1 prints the stacks of all tasks."""
    loop, task = asyncio.get_running_loop(), asyncio.create_task(run(options), name="run")
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    loop.add_signal_handler(signal.SIGUSR1, print_tasks)
    try:
        return await task
    except asyncio.CancelledError:
        os._exit(128 + signal.SIGTERM)  # all is stopped; a normal exit would wait for the checker's thread


if __name__ == "__main__":
    sys.exit(main())
