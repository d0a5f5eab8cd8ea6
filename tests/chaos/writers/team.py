"""All writers of a run and their rates."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from tests.chaos.world.world import World
from tests.chaos.writers import bulk, isolation, members, moves, plain, slow
from tests.chaos.writers.rest import Requests
from tests.chaos.writers.session import FailedError, Session

Kind = Callable[[Session], Awaitable[None]]

WEIGHTS: dict[Kind, int] = {
    plain.single_row: 30,
    plain.multi_row: 14,
    plain.one_statement: 2,
    plain.savepoints: 8,
    plain.rollback: 5,
    plain.asynchronous: 8,
    isolation.repeatable_read: 4,
    isolation.serializable: 4,
    moves.move: 8,
    moves.there_and_back: 2,
    moves.delete: 4,
    moves.insert: 5,
    moves.replace: 3,
    moves.fleeting: 1,
    members.grant: 3,
    members.revoke: 2,
    members.swap: 1,
}
WRITERS = 6
PER_SECOND = 8.0
"""Transactions of each writer; occasional bursts have no pause."""
BULK_EVERY = 40.0
_AFTER_FAILURE = 0.3


async def write(world: World, rng: random.Random, stop: asyncio.Event) -> None:
    """Write until `stop` is set, then finish open transactions."""
    seeds = [rng.randint(0, 2**32) for _ in range(WRITERS + 5)]
    writers = [_mixed(world, random.Random(seed), f"writer-{n}", stop) for n, seed in enumerate(seeds[:WRITERS])]
    fixed = [
        _one_kind(world, random.Random(seeds[-1]), "writer-long", slow.long, 1.0, stop),
        _one_kind(world, random.Random(seeds[-2]), "writer-crossed", slow.crossed, 0.7, stop),
        _one_kind(world, random.Random(seeds[-3]), "writer-bulk", bulk.bulk, BULK_EVERY, stop),
        _rest(world, random.Random(seeds[-4]), "rest-1", stop),
        _rest(world, random.Random(seeds[-5]), "rest-2", stop),
    ]
    async with asyncio.TaskGroup() as tasks:
        for each in [*writers, *fixed]:
            tasks.create_task(each)


async def _mixed(world: World, rng: random.Random, name: str, stop: asyncio.Event) -> None:
    session = Session(world, rng, name)
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    burst = 0
    while not stop.is_set():
        (kind,) = rng.choices(kinds, weights)
        if burst == 0 and rng.random() < 0.01:
            burst = rng.randint(10, 40)
        pause = 0.0 if burst else rng.expovariate(PER_SECOND)
        burst = max(0, burst - 1)
        await _run_once(session, kind, pause, stop)
    await session.close()


async def _one_kind(world: World, rng: random.Random, name: str, kind: Kind, pause: float, stop: asyncio.Event) -> None:
    session = Session(world, rng, name)
    while not stop.is_set():
        await _run_once(session, kind, pause * rng.uniform(0.5, 1.5), stop)
    await session.close()


async def _run_once(session: Session, kind: Kind, pause: float, stop: asyncio.Event) -> None:
    try:
        await kind(session)
    except FailedError:
        pause = max(pause, _AFTER_FAILURE)
    await _sleep(pause, stop)


async def _rest(world: World, rng: random.Random, name: str, stop: asyncio.Event) -> None:
    requests = Requests(world, rng, name)
    while not stop.is_set():
        await requests.write()
        await _sleep(rng.expovariate(5.0), stop)
    await requests.close()


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
