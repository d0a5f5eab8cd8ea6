"""Which faults come when: decided by the seed alone, in rounds of one or two with healthy pauses between them.

The order of faults, what each breaks and for how long depend on the seed. The exact moments depend on the machine: a round begins
when everything has recovered from the one before.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.faults import fault as faults
from tests.chaos.faults.fault import Fault
from tests.chaos.watch import Watch
from tests.chaos.world.world import World

_PAIRS = 0.55
"""The share of rounds in which a second fault begins while the first is active."""
_OVERLAP = 3.0
_LONGEST = 240.0
"""Seconds after which a round that does not end is a fault of the harness."""


@dataclass(frozen=True)
class Planned:
    kind: type[Fault]
    seed: int
    delay: float


def plan(seed: int, kinds: dict[str, type[Fault]]) -> Iterator[list[Planned]]:
    """Endless rounds. Each fault comes once before any comes again."""
    rng = random.Random(f"schedule {seed}")
    deck: list[type[Fault]] = []
    while kinds:
        chosen = [_draw(deck, kinds, rng, frozenset())]
        if rng.random() < _PAIRS and len(kinds) > 1:
            second = _draw(deck, kinds, rng, chosen[0].alone)
            if not second.alone & chosen[0].alone:
                chosen.append(second)
        yield [
            Planned(kind, rng.randint(0, 2**32), 0.0 if at == 0 else rng.uniform(0.0, _OVERLAP))
            for at, kind in enumerate(chosen)
        ]


def _draw(
    deck: list[type[Fault]], kinds: dict[str, type[Fault]], rng: random.Random, taken: frozenset[str]
) -> type[Fault]:
    """Take the next of a shuffled deck that breaks nothing which is taken; any, if there is none."""
    if not deck:
        deck.extend(rng.sample(list(kinds.values()), len(kinds)))
    at = next((at for at, kind in enumerate(deck) if not kind.alone & taken), 0)
    return deck.pop(at)


async def run(world: World, watch: Watch, kinds: dict[str, type[Fault]], seconds: float) -> int:
    """Run rounds for so long; how many there were."""
    end = time.monotonic() + seconds
    pauses = random.Random(f"pauses {world.seed}")
    rounds = 0
    for planned in plan(world.seed, kinds):
        await asyncio.sleep(pauses.uniform(1.5, 4.0))
        if time.monotonic() > end:
            break
        async with asyncio.timeout(_LONGEST), asyncio.TaskGroup() as tasks:
            for each in planned:
                tasks.create_task(_one(each, world))
        rounds += 1
        await watch.recovered(" + ".join(each.kind.name for each in planned))
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    return rounds


async def _one(planned: Planned, world: World) -> None:
    await asyncio.sleep(planned.delay)
    await faults.run(planned.kind(), world, random.Random(planned.seed))
