"""One run: start the world, clients and writers; inject faults; stop, settle and check."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import outcomes, schedule
from tests.chaos.checker.checker import Checker
from tests.chaos.clients.population import make_population
from tests.chaos.faults import registry
from tests.chaos.model import ChaosClient, Journal
from tests.chaos.progress import progress
from tests.chaos.report import Report, write_journal
from tests.chaos.watch import Watch
from tests.chaos.world.world import World
from tests.chaos.writers import team

_WARM = 4.0
"""Seconds without faults at the start."""
_SETTLE = 90.0
_FINISH = 60.0
"""Seconds for writers to finish their transactions, and for clients to close their connections."""
_RELEASE = 4.0
"""Seconds for the services to release resources after the last client has disconnected."""


@dataclass(frozen=True)
class Options:
    seed: int
    seconds: float = 120.0
    faults: str = "all"
    bug: str | None = None
    journal: Path | None = None
    """File for the journal, with one JSON object per line."""


async def run(options: Options) -> Report:
    """Run once and return the report with the verdicts. An exception is a bug of the harness."""
    kinds = registry.select(options.faults)
    journal = Journal()
    world = World(options.seed, journal, bug=options.bug)
    report = Report(options.seed, options.seconds, options.faults, options.bug)
    checker, watch = Checker(world), Watch(world)
    try:
        await world.start(lambda _: checker.install())
        async with _background(watch):
            clients = make_population(world, journal, random.Random(f"clients {options.seed}"))
            async with _running(clients):
                async with _writing(world):
                    await asyncio.sleep(_WARM)
                    watch.note_before()
                    progress("started")
                    report.rounds = await schedule.run(world, watch, kinds, options.seconds)
                progress("writers have stopped, clients settle")
                await asyncio.gather(*(client.settle(_SETTLE) for client in clients))
            progress("clients have disconnected")
            await asyncio.sleep(_RELEASE)
            watch.check_leftovers()
        await world.stop_canary()
        await asyncio.to_thread(outcomes.resolve, world)
        report.verdicts = [*outcomes.check(world), *await asyncio.to_thread(checker.verdicts)]
        if options.journal is not None:
            await asyncio.to_thread(write_journal, options.journal, journal, checker.truth)
        progress("checked")
        await world.stop_services()
        report.verdicts += watch.conclude()
        report.gather(world, watch)
    finally:
        await world.stop()
    return report


@asynccontextmanager
async def _background(watch: Watch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run(), name="watch")
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _writing(world: World) -> AsyncIterator[None]:
    """Write while the block runs, and finish open transactions at its end."""
    stop = asyncio.Event()
    rng = random.Random(f"writers {world.seed}")
    task = asyncio.create_task(team.write(world, rng, stop), name="writers")
    try:
        yield
        stop.set()
        async with asyncio.timeout(_FINISH):
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _running(clients: list[ChaosClient]) -> AsyncIterator[None]:
    """Run the clients while the block runs; a client that raises fails the run."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(client.run(stop), name=client.name) for client in clients]
    try:
        yield
        stop.set()
        async with asyncio.timeout(_FINISH):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
