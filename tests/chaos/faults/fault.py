"""The base class of faults, and how a fault is run and recorded."""

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
    """The fault cannot be injected in this environment; the message says why."""


class Fault(ABC):
    """`exclusive`: what no concurrent fault may break; `explains`: the resets and losses it makes legal (model.Fault)."""

    name: ClassVar[str]
    exclusive: ClassVar[frozenset[str]] = frozenset()
    explains: ClassVar[frozenset[str]] = model.EXPLAINS_NOTHING

    @abstractmethod
    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        """Inject the fault, hold it, undo it, and return details for the report. Raises SkippedError."""


async def run(fault: Fault, world: World, rng: random.Random) -> model.Fault:
    """Inject a fault and record its begin and end."""
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
    """Wait for a random time, and return the seconds."""
    seconds = rng.uniform(least, most)
    await asyncio.sleep(seconds)
    return round(seconds, 1)
