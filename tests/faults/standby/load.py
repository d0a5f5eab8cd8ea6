"""Random writes to a primary, services that read its standby, and what their clients must receive."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg

from db.embedded.server import EmbeddedPostgres
from feed.http.server import health
from feed.tailing.replica import ReplicaStatus
from tests.support.database import Database
from tests.support.services import Services, serving
from tests.support.streams import Client, Message
from tests.support.until import until

WRITERS = 8
CARDS = [f"s{n}" for n in range(6)]


async def write(database: Database, seed: int, transactions: int) -> None:
    """Random transactions on shared rows: long and short, rolled back partly or whole, with early transaction ids."""
    rng = random.Random(seed)
    async with await database.connect() as conn:
        await conn.execute("SET deadlock_timeout = '20ms'")
        for number in range(transactions):
            with suppress(psycopg.errors.DeadlockDetected):
                async with conn.transaction(force_rollback=rng.random() < 0.15):
                    if rng.random() < 0.4:
                        await conn.execute("SELECT pg_current_xact_id()")
                        await asyncio.sleep(rng.random() * 0.02)
                    for _ in range(rng.randint(1, 3)):
                        async with conn.transaction(force_rollback=rng.random() < 0.2):
                            await conn.execute(
                                "UPDATE opportunities SET notes = %s WHERE id = %s",
                                [f"{seed}-{number}-{rng.random()}", rng.choice(CARDS)],
                            )


async def load(database: Database, transactions: int = 40, *, seed: int = 0) -> None:
    await asyncio.gather(*(write(database, seed + n, transactions) for n in range(WRITERS)))


@asynccontextmanager
async def serving_from_standby(
    database: Database, standby: EmbeddedPostgres, **settings: Any
) -> AsyncIterator[Services]:
    """Services that already read the log on the standby."""
    async with serving(
        database, replica_url=standby.url(), **({"max_replica_lag": 5.0, "read_interval": 0.2} | settings)
    ) as services:
        runtime = await services.runtime("websocket")
        await wait_for_status(services, ReplicaStatus.USED)
        assert health(runtime)["replica"] == "used"
        yield services


async def wait_for_status(services: Services, *wanted: ReplicaStatus, timeout: float = 20) -> None:
    runtime = await services.runtime("websocket")
    assert runtime.replica is not None
    reader = runtime.replica
    await until(lambda: reader.status in wanted, timeout=timeout, what=f"{wanted}")


async def count_reads(services: Services, outcome: str, reader: str = "live") -> float:
    runtime = await services.runtime("websocket")
    return (
        runtime.metrics.registry.get_sample_value(
            "boardcast_replica_reads_total", {"reader": reader, "outcome": outcome}
        )
        or 0.0
    )


async def wait_for_standby_reads(services: Services, number: int) -> None:
    """Wait until `number` more passes were read on the standby."""
    enough = await count_reads(services, "read") + number

    async def reached() -> bool:
        return await count_reads(services, "read") >= enough

    await until(reached)


async def committed_changes(database: Database) -> dict[int, tuple[str, int]]:
    rows = await database.execute(
        "SELECT seq, key, version FROM feed.log WHERE relation = 'opportunities' AND op = 'update'"
    )
    return {row["seq"]: (row["key"], row["version"]) for row in rows}


async def collect_updates(client: Client, number: int, timeout: float = 30) -> list[Message]:
    def received() -> bool:
        return len({m.seq for m in client.messages if m.type == "opportunity_updated"}) >= number

    await until(received, timeout=timeout, what=f"{number} events")
    return [m for m in client.messages if m.type == "opportunity_updated"]


async def check_complete(client: Client, database: Database) -> None:
    """Check that each committed change was delivered once, with the versions of each row in order."""
    committed = await committed_changes(database)
    updates = await collect_updates(client, len(committed))
    seqs = [m.seq for m in updates]
    assert len(seqs) == len(set(seqs)), "delivered twice"
    assert set(seqs) == set(committed)
    for card in CARDS:
        versions = [m.body["version"] for m in updates if m.body["opportunityId"] == card]
        assert versions == sorted(versions), f"{card} out of order"
    assert not [m for m in client.messages if m.type in {"reset", "resync"}]
