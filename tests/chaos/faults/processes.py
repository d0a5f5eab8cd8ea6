"""Services that are killed, frozen or restarted cleanly."""

import random
from typing import Any

from tests.chaos.faults.fault import SERVICE, Fault, hold
from tests.chaos.world.world import World


class Killed(Fault):
    """SIGKILL, a pause, and a new start."""

    name = "service-killed"
    exclusive = frozenset({SERVICE})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        service = world.pick(rng)
        await service.kill()
        held = await hold(rng, 0.5, 5.0)
        await service.bring_up()
        return {"service": service.name, "held": held}


class Frozen(Fault):
    """SIGSTOP and SIGCONT: connections stay open, and time seems to jump."""

    name = "service-frozen"
    exclusive = frozenset({SERVICE})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        service = world.pick(rng)
        service.freeze()
        try:
            held = await hold(rng, 1.0, 12.0)
        finally:
            service.thaw()
        return {"service": service.name, "held": held}


class Restarted(Fault):
    """SIGTERM and a new start; sometimes of two services, one after the other."""

    name = "service-restarted"
    exclusive = frozenset({SERVICE})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        names = rng.sample(sorted(world.services), 2 if rng.random() < 0.3 else 1)
        took = {}
        for name in names:
            service = world.services[name]
            stop = await service.stop()
            took[name] = round(stop.seconds, 2) if stop is not None else None
            await service.bring_up()
        return {"stops": took}


KINDS: list[type[Fault]] = [Killed, Frozen, Restarted]
