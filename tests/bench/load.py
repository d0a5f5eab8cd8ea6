"""Runs the writers and returns their writes."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.bench.stage import CARDS

PYTHON = (sys.executable, "-m", "tests.bench.writers")


class Written(NamedTuple):
    """The mark of a row, when its write was due, and when it was acknowledged, in ns of the monotonic clock."""

    mark: int
    due: int
    ended: int


async def write(
    url: str,
    *,
    count: int,
    rate: int = 0,
    writers: int = 4,
    size: int = 1,
    first: int = 0,
    program: Sequence[str] = PYTHON,
    environment: Mapping[str, str] | None = None,
) -> list[Written]:
    """Write `count` rows with marks starting at `first`, `rate` per second (0: as fast as possible), and wait for the last."""
    process = await asyncio.create_subprocess_exec(
        *program,
        url,
        *map(str, (rate, count, writers, CARDS, size, first)),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError("the writers failed")
    return [Written(*one) for one in json.loads(output)]
