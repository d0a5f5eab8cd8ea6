"""A wall clock that steps, for one process."""

import os
import random
from pathlib import Path
from typing import Any

from tests.chaos.faults.fault import SERVICE, Fault, SkippedError, hold
from tests.chaos.world.world import World


class ClockStep(Fault):
    """A service is restarted with a wrong wall clock, and later again with the right one.

    CLOCK_MONOTONIC never steps. It needs libfaketime, since the run must not change the system's clock.
    """

    name = "clock-step"
    exclusive = frozenset({SERVICE})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        library = _libfaketime()
        if library is None:
            raise SkippedError("libfaketime is not installed")
        service = world.pick(rng)
        seconds = rng.choice([-5, 30, 3600])  # further back, tokens would be from the future
        environment = {"LD_PRELOAD": library, "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        await service.stop()
        await service.bring_up(environment)
        held = await hold(rng, 4.0, 8.0)
        await service.stop()
        await service.bring_up()
        return {"service": service.name, "seconds": seconds, "held": held}


def _libfaketime() -> str | None:
    """The path in FAKETIME_LIBRARY, or that of the Debian package."""
    named = os.environ.get("FAKETIME_LIBRARY")
    found = [named] if named else sorted(str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


KINDS: list[type[Fault]] = [ClockStep]
