"""Tables that are emptied at once, and filled again."""

import asyncio
import random
from typing import Any

from tests.chaos.faults.administration import ask_patiently
from tests.chaos.faults.fault import FEED, PRIMARY, Fault, hold
from tests.chaos.world import schema
from tests.chaos.world.world import World


class Truncate(Fault):
    """All cards go, without a row's trigger being asked; then they are inserted again."""

    name = "truncate-opportunities"
    alone = frozenset({FEED, PRIMARY})
    explains = frozenset({"resync", "truncate"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await ask_patiently(world, "SET lock_timeout = '2s'; TRUNCATE opportunities")
        held = await hold(rng, 0.1, 2.0)
        await asyncio.to_thread(schema.fill_cards, world.primary_dsn())
        return {"held": held}


class TruncateMembers(Fault):
    """Nobody sees any board; then those who did at the start do again."""

    name = "truncate-board-members"
    alone = frozenset({FEED, PRIMARY})
    explains = frozenset({"resync", "truncate"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await ask_patiently(world, "SET lock_timeout = '2s'; TRUNCATE board_members")
        held = await hold(rng, 0.1, 2.0)
        await asyncio.to_thread(schema.fill_members, world.primary_dsn())
        return {"held": held}


KINDS: list[type[Fault]] = [Truncate, TruncateMembers]
