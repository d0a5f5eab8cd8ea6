"""A clock that steps, where a process can be given one of its own."""

import os
import random
from pathlib import Path
from typing import Any

from tests.chaos.faults.fault import SERVICE, Fault, SkippedError, hold
from tests.chaos.world.world import World


class ClockStep(Fault):
    """A service is restarted with a wall clock that is off, and later again with the right one.

    Only the wall clock: CLOCK_MONOTONIC never steps. libfaketime does it, as the system's clock is not the run's to set.
    """

    name = "clock-step"
    alone = frozenset({SERVICE})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        library = _libfaketime()
        if library is None:
            raise SkippedError("a process gets a clock of its own only from libfaketime, which is not installed here")
        service = world.pick(rng)
        seconds = rng.choice([-5, 30, 3600])  # further back, tokens are of the future
        own = {"LD_PRELOAD": library, "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        await service.stop()
        await service.bring_up(own)
        held = await hold(rng, 4.0, 8.0)
        await service.stop()
        await service.bring_up()
        return {"service": service.name, "seconds": seconds, "held": held}


def _libfaketime() -> str | None:
    """Where Debian has it, or where FAKETIME_LIBRARY says."""
    named = os.environ.get("FAKETIME_LIBRARY")
    found = [named] if named else sorted(str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


KINDS: list[type[Fault]] = [ClockStep]
