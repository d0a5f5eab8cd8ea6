"""Network faults on the links between processes."""

import asyncio
import random
from typing import Any

from tests.chaos.faults.fault import CLIENTS, PRIMARY, STANDBY, WRITERS, Fault, hold
from tests.chaos.world.links import REPLICATION
from tests.chaos.world.links import WRITERS as WRITERS_LINK
from tests.chaos.world.proxy import Proxy
from tests.chaos.world.world import World

MODES = ("rst", "fin", "black-hole", "hang", "latency", "throttle", "refuse")
PLACES = (PRIMARY, STANDBY, "replication", CLIENTS, WRITERS)
_MOMENTARY = {"rst", "fin"}
"""Momentary faults, which are repeated a few times."""


class Network(Fault):
    """One mode on one link; `_make` creates a class for each pair."""

    mode: str
    place: str

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        proxies = _proxies(world, self.place, rng)
        try:
            for proxy in proxies:
                _break(proxy, self.mode, rng)
            if self.mode in _MOMENTARY:
                for _ in range(rng.randint(0, 3)):
                    await asyncio.sleep(rng.uniform(0.05, 1.5))
                    for proxy in proxies:
                        _break(proxy, self.mode, rng)
                held = 0.0
            else:
                held = await hold(rng, 3.0, 10.0 if self.mode in {"black-hole", "hang"} else 6.0)
        finally:
            for proxy in proxies:
                await proxy.heal(hung=self.mode != "hang")
        return {"links": [proxy.name for proxy in proxies], "held": held}


def _proxies(world: World, place: str, rng: random.Random) -> list[Proxy]:
    """One of the links to this place, or sometimes all of them."""
    if place == "replication":
        return [world.links[REPLICATION]]
    if place == WRITERS:
        return [world.links[WRITERS_LINK]]
    if place == CLIENTS:
        found = [proxy for name, proxy in world.links.proxies.items() if name.startswith("clients ->")]
    else:
        found = [proxy for proxy in world.links.to(place) if proxy.name.split(" ")[0] in world.services]
    return found if rng.random() < 0.3 else [rng.choice(found)]


def _break(proxy: Proxy, mode: str, rng: random.Random) -> None:
    match mode:
        case "rst":
            proxy.cut()
        case "fin":
            proxy.fin()
        case "black-hole":
            proxy.black_hole()
        case "hang":
            proxy.hang()
        case "latency":
            proxy.delay(rng.uniform(0.02, 0.3))
        case "throttle":
            proxy.throttle(rng.choice([4_000, 20_000, 100_000]))
        case "refuse":
            proxy.refuse()
            proxy.cut()
        case _:
            raise ValueError(mode)


def _make(mode: str, place: str) -> type[Network]:
    exclusive = frozenset({place, STANDBY} if place == "replication" else {place})
    return type(
        "Network", (Network,), {"name": f"{mode}-{place}", "mode": mode, "place": place, "exclusive": exclusive}
    )


KINDS: list[type[Fault]] = [_make(mode, place) for place in PLACES for mode in MODES]
