"""The schedule of faults: rounds of one or two faults with pauses between them, determined by the seed.

The seed determines the order of faults, their targets and durations. The exact times depend on the machine: a round begins
when everything has recovered from the previous one.
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
"""The share of rounds with a second fault that begins while the first is active."""
_OVERLAP = 3.0
_LONGEST = 240.0
"""Seconds after which an unfinished round is a bug of the harness."""


@dataclass(frozen=True)
class Planned:
    kind: type[Fault]
    seed: int
    delay: float


def plan(seed: int, kinds: dict[str, type[Fault]]) -> Iterator[list[Planned]]:
    """Yield endless rounds. Each fault comes once before any is repeated."""
    rng = random.Random(f"schedule {seed}")
    deck: list[type[Fault]] = []
    while kinds:
        chosen = [_draw(deck, kinds, rng, frozenset())]
        if rng.random() < _PAIRS and len(kinds) > 1:
            second = _draw(deck, kinds, rng, chosen[0].exclusive)
            if not second.exclusive & chosen[0].exclusive:
                chosen.append(second)
        yield [
            Planned(kind, rng.randint(0, 2**32), 0.0 if at == 0 else rng.uniform(0.0, _OVERLAP))
            for at, kind in enumerate(chosen)
        ]


def _draw(
    deck: list[type[Fault]], kinds: dict[str, type[Fault]], rng: random.Random, taken: frozenset[str]
) -> type[Fault]:
    """Take the next fault of a shuffled deck that does not conflict with `taken`; if all conflict, the next one."""
    if not deck:
        deck.extend(rng.sample(list(kinds.values()), len(kinds)))
    at = next((at for at, kind in enumerate(deck) if not kind.exclusive & taken), 0)
    return deck.pop(at)


async def run(world: World, watch: Watch, kinds: dict[str, type[Fault]], seconds: float) -> int:
    """Run rounds for `seconds`, and return their number."""
    end = time.monotonic() + seconds
    pauses = random.Random(f"pauses {world.seed}")
    rounds = 0
    for planned in plan(world.seed, kinds):
        await asyncio.sleep(pauses.uniform(1.5, 4.0))
        if time.monotonic() > end:
            break
        async with asyncio.timeout(_LONGEST), asyncio.TaskGroup() as tasks:
            for each in planned:
                tasks.create_task(_inject(each, world))
        rounds += 1
        await watch.recovered(" + ".join(each.kind.name for each in planned))
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    return rounds


async def _inject(planned: Planned, world: World) -> None:
    await asyncio.sleep(planned.delay)
    await faults.run(planned.kind(), world, random.Random(planned.seed))
