"""A full disk, if the primary has a file system of its own."""

import asyncio
import random
from typing import Any

from tests.chaos.faults.fault import PRIMARY, STANDBY, WRITERS, Fault, SkippedError, hold
from tests.chaos.world.world import World


class DiskFull(Fault):
    """The primary's file system shrinks to its used size. Writes fail, or the server stops because WAL cannot be written."""

    name = "disk-full"
    exclusive = frozenset({PRIMARY, STANDBY, WRITERS})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        disk = world.cluster.disks.get(world.cluster.primary.home)
        if disk is None:
            raise SkippedError("mounting a file system needs root, and is not possible in every container")
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
