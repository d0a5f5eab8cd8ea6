"""Tables that are truncated and filled again."""

import asyncio
import random
from typing import Any

from tests.chaos.faults.administration import query_with_retries
from tests.chaos.faults.fault import FEED, PRIMARY, Fault, hold
from tests.chaos.world import schema
from tests.chaos.world.world import World


class Truncate(Fault):
    """All cards are removed without row triggers, then inserted again."""

    name = "truncate-opportunities"
    exclusive = frozenset({FEED, PRIMARY})
    explains = frozenset({"resync", "truncate"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await query_with_retries(world, "SET lock_timeout = '2s'; TRUNCATE opportunities")
        held = await hold(rng, 0.1, 2.0)
        await asyncio.to_thread(schema.fill_cards, world.primary_dsn())
        return {"held": held}


class TruncateMembers(Fault):
    """All memberships are removed; then the initial ones are inserted again."""

    name = "truncate-board-members"
    exclusive = frozenset({FEED, PRIMARY})
    explains = frozenset({"resync", "truncate"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await query_with_retries(world, "SET lock_timeout = '2s'; TRUNCATE feed.board_members")
        held = await hold(rng, 0.1, 2.0)
        await asyncio.to_thread(schema.fill_members, world.primary_dsn())
        return {"held": held}


KINDS: list[type[Fault]] = [Truncate, TruncateMembers]
