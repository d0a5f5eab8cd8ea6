"""What an administrator does to the feed: a new id, a pruned log, no NOTIFY, no capture."""

import asyncio
import random
import time
from typing import Any, LiteralString

import psycopg

from tests.chaos.faults.fault import FEED, PRIMARY, Fault, hold
from tests.chaos.world.world import World

_TRIES = 60


async def ask(world: World, statement: LiteralString, parameters: list[Any] | None = None) -> Any:
    """Run a statement on the primary; the first value that it returns."""
    async with await psycopg.AsyncConnection.connect(world.primary_dsn(), autocommit=True, connect_timeout=5) as conn:
        done = await conn.execute(statement, parameters)
        row = await done.fetchone() if done.description is not None else None
        return row[0] if row else None


async def ask_patiently(world: World, statement: LiteralString, parameters: list[Any] | None = None) -> Any:
    """The same, again while others hold the locks it needs, or while the server is away."""
    for attempt in range(_TRIES):
        try:
            return await ask(world, statement, parameters)
        except psycopg.OperationalError:
            if attempt == _TRIES - 1:
                raise
            await asyncio.sleep(0.5)
    return None


class ResetFeed(Fault):
    name = "reset-feed"
    alone = frozenset({FEED, PRIMARY})
    explains = frozenset({"foreign"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        return {"feed": await ask(world, "SELECT feed.reset_feed('chaos')")}


class Prune(Fault):
    """All of the log that is older than a moment ago: who was away for longer is reset."""

    name = "prune"
    alone = frozenset({FEED, PRIMARY})
    explains = frozenset({"pruned"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        seconds = rng.uniform(0.0, 3.0)
        await ask_patiently(world, "SELECT feed.rotate_partition()")
        await asyncio.sleep(seconds + 0.1)
        dropped = []
        for _ in range(_TRIES):
            row = await ask_patiently(
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
    """A retention of seconds for a while, as the services themselves enforce it."""

    name = "retention"
    alone = frozenset({FEED, PRIMARY})
    explains = frozenset({"pruned"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await ask_patiently(world, "UPDATE feed.maintenance SET retention = '3 seconds'")
        steps = []
        until = time.monotonic() + rng.uniform(2.0, 6.0)
        while time.monotonic() < until:
            steps.append(await ask_patiently(world, "SELECT feed.maintain()"))
            await asyncio.sleep(0.1)
        await ask_patiently(world, "UPDATE feed.maintenance SET retention = '90 days'")
        return {"steps": [step for step in steps if step]}


class NotifyOff(Fault):
    """No writer sends NOTIFY: only the read of each second finds what was written."""

    name = "notify-off"
    alone = frozenset({FEED})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        await ask_patiently(world, "SELECT feed.set_notify(false)")
        held = await hold(rng)
        await ask_patiently(world, "SELECT feed.set_notify(true)")
        return {"held": held}


class CaptureOff(Fault):
    """Nothing is logged for a while; when it is again, everybody loads anew."""

    name = "capture-off"
    alone = frozenset({FEED, PRIMARY})
    explains = frozenset({"foreign", "uncaptured"})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        off = await ask_patiently(world, "SELECT count(*) FROM feed.set_capture(false)")
        held = await hold(rng)
        on = await ask_patiently(world, "SELECT count(*) FROM feed.set_capture(true)")
        return {"held": held, "tables": [off, on]}


KINDS: list[type[Fault]] = [ResetFeed, Prune, Retention, NotifyOff, CaptureOff]
