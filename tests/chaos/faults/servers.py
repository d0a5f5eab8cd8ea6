"""The primary and the standby stop in every possible way and start again."""

import asyncio
import random
from typing import Any

from tests.chaos.faults.fault import PRIMARY, STANDBY, WRITERS, Fault, hold
from tests.chaos.world.world import World


class Stopped(Fault):
    how: str
    exclusive = frozenset({PRIMARY, STANDBY, WRITERS})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await world.cluster.stop_primary(self.how)
        held = await hold(rng, 0.2, 5.0)
        await world.cluster.start_primary()
        return {"held": held}


class Fast(Stopped):
    """Open transactions are rolled back, and clients get an error."""

    name = "primary-fast-stop"
    how = "fast"


class Immediate(Stopped):
    """As in a crash, but clients get an error."""

    name = "primary-immediate-stop"
    how = "immediate"


class Killed(Stopped):
    """The postmaster is killed; its children end when they notice."""

    name = "primary-killed"
    how = "kill"


class StandbyStopped(Fault):
    name = "standby-stopped"
    exclusive = frozenset({STANDBY})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        standby = world.cluster.standby
        if standby is None:
            return {}
        how = rng.choice(["fast", "immediate", "kill"])
        if how == "kill":
            await asyncio.to_thread(standby.kill)
        else:
            await asyncio.to_thread(standby.stop, how)
        held = await hold(rng, 0.5, 6.0)
        await asyncio.to_thread(standby.start)
        world.links.retarget("standby", standby.port)
        return {"how": how, "held": held}


KINDS: list[type[Fault]] = [Fast, Immediate, Killed, StandbyStopped]
