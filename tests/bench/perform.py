"""One scenario, in a process of its own with a database and a feed of its own: none is the heir of another's garbage."""

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
"""Seconds after which a scenario counts as failed: it waits for something that does not come."""


def perform(name: str, seconds: int | None) -> list[Figure]:
    """Run it to its end; whatever it raises is raised here."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_perform, name, seconds).result()


def _perform(name: str, seconds: int | None) -> list[Figure]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    scenario = importlib.import_module(f"tests.bench.scenarios.{name}")
    begin = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - begin:5.1f} s  {text}", flush=True)  # noqa: T201 - progress, for who waits

    with stage(seconds) as on:
        gc.collect()
        gc.freeze()
        return uvloop.run(_in_time(scenario.run(on, say)))


async def _in_time(running: Coroutine[None, None, list[Figure]]) -> list[Figure]:
    async with asyncio.timeout(_LIMIT):
        return await running
