"""One run: start the world, its clients and writers; break things; stop, settle, and check."""

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
from tests.chaos.model import Journal, Population
from tests.chaos.progress import progress
from tests.chaos.report import Report, write_journal
from tests.chaos.watch import Watch
from tests.chaos.world.world import World
from tests.chaos.writers import team

_WARM = 4.0
"""Seconds that all goes well before the first fault."""
_SETTLE = 90.0
_FINISH = 60.0
"""Seconds for writers to end their transactions, and for clients to end their connections."""
_GONE = 4.0
"""Seconds after the last client, for the services to let go of what was its."""


@dataclass(frozen=True)
class Options:
    seed: int
    seconds: float = 120.0
    faults: str = "all"
    bug: str | None = None
    journal: Path | None = None
    """Where to write everything that happened, a line of JSON each."""


async def run(options: Options) -> Report:
    """Run once; the report has the verdicts. An exception is a fault of the harness."""
    kinds = registry.chosen(options.faults)
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
                    progress("begins")
                    report.rounds = await schedule.run(world, watch, kinds, options.seconds)
                progress("writers have stopped, clients settle")
                await asyncio.gather(*(client.settle(_SETTLE) for client in clients))
            progress("clients have gone")
            await asyncio.sleep(_GONE)
            watch.check_leftovers()
        await world.quiet()
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
    """Write while the block runs, and finish what is under way at its end."""
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
async def _running(clients: list[Population]) -> AsyncIterator[None]:
    """Run the clients while the block runs; one that fails by itself fails the run."""
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
