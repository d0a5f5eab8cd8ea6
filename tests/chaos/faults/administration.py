"""Administrative actions on the feed: a new id, a pruned log, NOTIFY off, capture off."""

import asyncio
import random
import time
from typing import Any, LiteralString

import psycopg

from tests.chaos.faults.fault import FEED, PRIMARY, Fault, hold
from tests.chaos.world.world import World

_TRIES = 60


async def query(world: World, statement: LiteralString, parameters: list[Any] | None = None) -> Any:
    """Run a statement on the primary and return its first value."""
    async with await psycopg.AsyncConnection.connect(world.primary_dsn(), autocommit=True, connect_timeout=5) as conn:
        done = await conn.execute(statement, parameters)
        row = await done.fetchone() if done.description is not None else None
        return row[0] if row else None


async def query_with_retries(world: World, statement: LiteralString, parameters: list[Any] | None = None) -> Any:
    """Run a statement, with retries while locks are taken or the server is down."""
    for attempt in range(_TRIES):
        try:
            return await query(world, statement, parameters)
        except psycopg.OperationalError:
            if attempt == _TRIES - 1:
                raise
            await asyncio.sleep(0.5)
    return None


class ResetFeed(Fault):
    name = "reset-feed"
    exclusive = frozenset({FEED, PRIMARY})
    explains = frozenset({"foreign"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        return {"feed": await query(world, "SELECT feed.reset_feed('chaos')")}


class Prune(Fault):
    """Prune the log up to a few seconds ago: clients that were offline for longer are reset."""

    name = "prune"
    exclusive = frozenset({FEED, PRIMARY})
    explains = frozenset({"pruned"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        seconds = rng.uniform(0.0, 3.0)
        await query_with_retries(world, "SELECT feed.rotate_partition()")
        await asyncio.sleep(seconds + 0.1)
        dropped = []
        for _ in range(_TRIES):
            row = await query_with_retries(
                world,
                "SELECT to_jsonb(p) FROM feed.prune(clock_timestamp() - make_interval(secs => %s)) AS p",
                [seconds],
            )
            if row["partition"] is not None:
                dropped.append(row)
            elif row["forgotten"] is None:
                break
            else:
                await asyncio.sleep(0.2)
        return {"older_than": round(seconds, 1), "dropped": [row["partition"] for row in dropped]}


class Retention(Fault):
    """A retention of a few seconds for a while, enforced as the services do."""

    name = "retention"
    exclusive = frozenset({FEED, PRIMARY})
    explains = frozenset({"pruned"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await query_with_retries(world, "UPDATE feed.maintenance SET retention = '3 seconds'")
        steps = []
        until = time.monotonic() + rng.uniform(2.0, 6.0)
        while time.monotonic() < until:
            steps.append(await query_with_retries(world, "SELECT feed.maintain()"))
            await asyncio.sleep(0.1)
        await query_with_retries(world, "UPDATE feed.maintenance SET retention = '90 days'")
        return {"steps": [step for step in steps if step]}


class NotifyOff(Fault):
    """No writer sends NOTIFY: only the safety read finds changes."""

    name = "notify-off"
    exclusive = frozenset({FEED})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await query_with_retries(world, "SELECT feed.set_notify(false)")
        held = await hold(rng)
        await query_with_retries(world, "SELECT feed.set_notify(true)")
        return {"held": held}


class CaptureOff(Fault):
    """Nothing is logged for a while; afterwards every client is reset."""

    name = "capture-off"
    exclusive = frozenset({FEED, PRIMARY})
    explains = frozenset({"foreign", "uncaptured"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        off = await query_with_retries(world, "SELECT count(*) FROM feed.set_capture(false)")
        held = await hold(rng)
        on = await query_with_retries(world, "SELECT count(*) FROM feed.set_capture(true)")
        return {"held": held, "tables": [off, on]}


KINDS: list[type[Fault]] = [ResetFeed, Prune, Retention, NotifyOff, CaptureOff]
