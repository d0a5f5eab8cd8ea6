"""Runs one scenario in a new process with its own database and feed, so that scenarios do not affect each other."""

import asyncio
import gc
import importlib
import multiprocessing
import resource
import time
from collections.abc import Coroutine
from concurrent.futures import ProcessPoolExecutor

import uvloop

from tests.bench.figure import Figure
from tests.bench.stage import stage

_LIMIT = 600.0
"""Seconds after which a scenario fails, because it waits for something that never happens."""


def perform(name: str, seconds: int | None) -> list[Figure]:
    """Run a scenario; its exceptions are raised here."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_perform, name, seconds).result()


def _perform(name: str, seconds: int | None) -> list[Figure]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    scenario = importlib.import_module(f"tests.bench.scenarios.{name}")
    begin = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - begin:5.1f} s  {text}", flush=True)  # noqa: T201 - progress output

    with stage(seconds) as on:
        gc.collect()
        gc.freeze()
        return uvloop.run(_in_time(scenario.run(on, say)))


async def _in_time(scenario: Coroutine[None, None, list[Figure]]) -> list[Figure]:
    async with asyncio.timeout(_LIMIT):
        return await scenario
