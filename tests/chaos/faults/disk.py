"""A disk without room, where the primary has one of its own."""

import asyncio
import random
from typing import Any

from tests.chaos.faults.fault import PRIMARY, STANDBY, WRITERS, Fault, SkippedError, hold
from tests.chaos.world.world import World


class DiskFull(Fault):
    """The primary's file system shrinks to what it holds. Writes fail, or the server stops as its WAL has no room."""

    name = "disk-full"
    alone = frozenset({PRIMARY, STANDBY, WRITERS})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        disk = world.cluster.disks.get(world.cluster.primary.home)
        if disk is None:
            raise SkippedError("a file system can be mounted by root alone, and not in every container")
        try:
            await asyncio.to_thread(disk.shrink)
            held = await hold(rng, 3.0, 8.0)
        finally:
            await asyncio.to_thread(disk.grow)
        stopped = world.cluster.primary.died
        if stopped:
            await world.cluster.start_primary()
        return {"held": held, "server_stopped": stopped}


KINDS: list[type[Fault]] = [DiskFull]
