"""Failovers: the primary dies and its standby is promoted, with or without a lost tail."""

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
    """An asynchronous failover: commits of the last seconds were delivered, but are lost."""

    name = "promotion-lost-tail"
    exclusive = frozenset({PRIMARY, STANDBY, WRITERS})
    explains = _LOST

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await wait_until_caught_up(world)
        cut = time.monotonic()
        world.links[REPLICATION].refuse()
        world.links[REPLICATION].cut()
        await hold(rng, 0.5, 4.0)
        return {"cut": cut, **await fail_over(world, rng)}


class Clean(Fault):
    """A failover without loss: the primary is stopped cleanly, which waits for the standby."""

    name = "promotion-clean"
    exclusive = frozenset({PRIMARY, STANDBY, WRITERS})
    explains = frozenset({"foreign"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await wait_until_caught_up(world)
        return await fail_over(world, rng, how="fast")


async def fail_over(world: World, rng: random.Random, how: str = "kill") -> dict[str, Any]:
    await world.cluster.stop_primary(how)
    held = await hold(rng, 0.1, 3.0)
    await world.cluster.promote(world.on_discard)
    await world.links[REPLICATION].heal()
    await world.new_standby()
    return {"held": held, "timeline": world.cluster.promotions + 1}


async def wait_until_caught_up(world: World) -> None:
    """Wait until the standby has replayed all commits so far: only later ones can be lost."""
    standby = world.cluster.standby
    if standby is None:
        raise RuntimeError("there is no standby")
    async with (
        await psycopg.AsyncConnection.connect(world.primary_dsn(), autocommit=True) as primary,
        await psycopg.AsyncConnection.connect(standby.url(), autocommit=True) as replica,
    ):
        (lsn,) = await (await primary.execute("SELECT pg_current_wal_flush_lsn()::text")).fetchone() or ("",)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            row = await replica.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [lsn])
            if await row.fetchone() == (True,):
                return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"the standby did not reach {lsn} within {_PATIENCE:.0f} s")


KINDS: list[type[Fault]] = [LostTail, Clean]
