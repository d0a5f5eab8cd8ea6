"""What a fault is, and how it is recorded."""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from tests.chaos import model
from tests.chaos.progress import progress
from tests.chaos.world.world import World

PRIMARY = "primary"
STANDBY = "standby"
SERVICE = "service"
CLIENTS = "clients"
FEED = "feed"
WRITERS = "writers"


class SkippedError(Exception):
    """The fault cannot be done here, and why."""


class Fault(ABC):
    """`alone` names what nobody else may break meanwhile; `explains` is what its clients may then see (model.Fault)."""

    name: ClassVar[str]
    alone: ClassVar[frozenset[str]] = frozenset()
    explains: ClassVar[frozenset[str]] = model.HARMLESS

    @abstractmethod
    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        """Start, hold and heal; what was done, for the report. Raises SkippedError."""


async def run(fault: Fault, world: World, rng: random.Random) -> model.Fault:
    """Inject it, and record from when to when."""
    record = model.Fault(fault.name, time.monotonic(), explains=fault.explains)
    world.journal.faults.append(record)
    progress(f"{fault.name} begins")
    try:
        record.detail.update(await fault.inject(world, rng))
    except SkippedError as reason:
        record.skipped = str(reason)
    finally:
        record.ended = time.monotonic()
        progress(f"{fault.name} has ended: {record.skipped or record.detail}")
    return record


async def hold(rng: random.Random, least: float = 2.0, most: float = 7.0) -> float:
    """Wait for some seconds, and say how many."""
    seconds = rng.uniform(least, most)
    await asyncio.sleep(seconds)
    return round(seconds, 1)
