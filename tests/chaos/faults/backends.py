"""Backends that are terminated, or stop responding while their connection stays open."""

import os
import random
import signal
from contextlib import suppress
from typing import Any, LiteralString

import psycopg

from tests.chaos.faults.fault import PRIMARY, Fault, SkippedError, hold
from tests.chaos.world.world import World

_SERVICE_BACKENDS: LiteralString = """
SELECT pid, state, query ILIKE 'listen%%' AS listens FROM pg_stat_activity
WHERE backend_type = 'client backend' AND application_name LIKE 'boardcast%%' AND pid <> pg_backend_pid()
"""


async def _backends(world: World, condition: LiteralString = "") -> list[int]:
    async with await psycopg.AsyncConnection.connect(world.primary_dsn(), autocommit=True, connect_timeout=5) as conn:
        rows = await (await conn.execute(_SERVICE_BACKENDS + condition)).fetchall()
    return sorted(row[0] for row in rows)


class Terminated(Fault):
    """Some or all backends of the services are terminated, up to three times."""

    name = "terminated-backends"
    exclusive = frozenset({PRIMARY})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        ended = 0
        for _ in range(rng.randint(1, 3)):
            pids = await _backends(world)
            chosen = pids if rng.random() < 0.3 else rng.sample(pids, min(len(pids), rng.randint(1, 6)))
            async with await psycopg.AsyncConnection.connect(world.primary_dsn(), autocommit=True) as conn:
                await conn.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::integer[]) AS pid", [chosen])
            ended += len(chosen)
            await hold(rng, 0.2, 2.0)
        return {"ended": ended}


class Silent(Fault):
    """Idle backends are stopped: the kernel acknowledges data, but no answer comes."""

    name = "silent-backends"
    exclusive = frozenset({PRIMARY})

    async def inject(self, world: World, rng: random.Random) -> dict[str, Any]:
        pids = await _backends(world, " AND state = 'idle'")
        if not pids:
            raise SkippedError("no backend was idle")
        chosen = rng.sample(pids, min(len(pids), rng.randint(1, 4)))
        try:
            for pid in chosen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            held = await hold(rng, 3.0, 10.0)
        finally:
            for pid in chosen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        return {"stopped": len(chosen), "held": held}


KINDS: list[type[Fault]] = [Terminated, Silent]
