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
from tests.chaos.report import Report, write_journal
from tests.chaos.watch import Watch
from tests.chaos.world.world import World
from tests.chaos.writers import team

_WARM = 4.0
"""Seconds that all goes well before the first fault."""
_SETTLE = 90.0
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
            async with _running(clients) as stop_clients:
                stop_writers = asyncio.Event()
                writing = asyncio.create_task(
                    team.write(world, random.Random(f"writers {options.seed}"), stop_writers), name="writers"
                )
                await asyncio.sleep(_WARM)
                watch.note_before()
                report.rounds = await schedule.run(world, watch, kinds, options.seconds)
                stop_writers.set()
                await writing
                await asyncio.gather(*(client.settle(_SETTLE) for client in clients))
                stop_clients.set()
            await asyncio.sleep(_GONE)
            watch.check_leftovers()
        await world.quiet()
        await asyncio.to_thread(outcomes.resolve, world)
        report.verdicts = [*outcomes.check(world), *await asyncio.to_thread(checker.verdicts)]
        await world.stop_services()
        report.verdicts += watch.conclude()
        report.gather(world, watch)
        if options.journal is not None:
            await asyncio.to_thread(write_journal, options.journal, journal)
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
async def _running(clients: list[Population]) -> AsyncIterator[asyncio.Event]:
    """Run the clients until the event is set at the block's end; one that fails by itself fails the run."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(client.run(stop), name=client.name) for client in clients]
    try:
        yield stop
        stop.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
