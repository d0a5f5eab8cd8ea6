"""The standby is cut off, clients see what it misses, the primary dies, and the standby is promoted."""

import asyncio
import random
import time
from typing import Any

import psycopg

from tests.chaos.faults.fault import PRIMARY, STANDBY, WRITERS, Fault, hold
from tests.chaos.world.links import REPLICATION
from tests.chaos.world.world import World

_LOST = frozenset({"foreign", "future", "diverged", "lost-tail"})
_PATIENCE = 60.0


class LostTail(Fault):
    """An asynchronous failover: what was committed and delivered in its last seconds never was."""

    name = "promotion-lost-tail"
    alone = frozenset({PRIMARY, STANDBY, WRITERS})
    explains = _LOST

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await caught_up(world)
        cut = time.monotonic()
        world.links[REPLICATION].refuse()
        world.links[REPLICATION].cut()
        await hold(rng, 0.5, 4.0)
        return {"cut": cut, **await fail_over(world, rng)}


class Clean(Fault):
    """A failover to a standby that has everything: the primary is stopped first, and waits for its standby."""

    name = "promotion-clean"
    alone = frozenset({PRIMARY, STANDBY, WRITERS})
    explains = frozenset({"foreign"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await caught_up(world)
        return await fail_over(world, rng, how="fast")


async def fail_over(world: World, rng: random.Random, how: str = "kill") -> dict[str, Any]:
    await world.cluster.stop_primary(how)
    held = await hold(rng, 0.1, 3.0)
    await world.cluster.promote(world.discarding)
    await world.links[REPLICATION].heal()
    await world.new_standby()
    return {"held": held, "timeline": world.cluster.promotions + 1}


async def caught_up(world: World) -> None:
    """Wait until the standby has replayed what is committed now, so that what is lost was committed after this."""
    standby = world.cluster.standby
    if standby is None:
        raise RuntimeError("there is no standby")
    async with (
        await psycopg.AsyncConnection.connect(world.primary_dsn(), autocommit=True) as there,
        await psycopg.AsyncConnection.connect(standby.url(), autocommit=True) as here,
    ):
        (lsn,) = await (await there.execute("SELECT pg_current_wal_flush_lsn()::text")).fetchone() or ("",)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            asked = await here.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [lsn])
            if await asked.fetchone() == (True,):
                return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"the standby has not come to {lsn} in {_PATIENCE:.0f} s")


KINDS: list[type[Fault]] = [LostTail, Clean]
