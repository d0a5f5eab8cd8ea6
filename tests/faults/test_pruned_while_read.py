"""A dropped partition is also gone for older snapshots: a read that began before must detect it and not skip its rows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from db.embedded.server import EmbeddedPostgres
from feed.tailing.replica import ReplicaStatus
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database
from tests.support.services import Services, add_people, serving
from tests.support.standby import fetch_value, standby_of
from tests.support.until import until

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'feed.log'::regclass"
_LOCKED = (
    "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'feed.log'::regclass"
)


async def _write_prunable(database: Database) -> None:
    """Write a change that will be pruned, and a newer one in the next partition."""
    await database.execute("UPDATE opportunities SET notes = 'pruned' WHERE id = 'o1'")
    await database.execute("SELECT feed.rotate_partition()")
    await database.execute("UPDATE opportunities SET notes = 'kept' WHERE id = 'o1'")


@asynccontextmanager
async def _pruning(database: Database) -> AsyncIterator[None]:
    """Prune, and commit when the block ends."""
    async with await database.connect(autocommit=False) as conn:
        while True:
            row = await (
                await conn.execute("SELECT partition FROM feed.prune(clock_timestamp() + interval '1 day')")
            ).fetchone()
            if row is not None and row["partition"] is not None:
                break
            await conn.rollback()
            await asyncio.sleep(0.05)
        yield
        await conn.commit()


async def _wait_until_blocked(database: Database) -> None:
    async def blocked() -> bool:
        return bool((await database.execute("SELECT count(*) AS n FROM pg_locks WHERE NOT granted"))[0]["n"])

    await until(blocked, timeout=10, what="the read to wait")


async def _stream(services: Services, cursor: str) -> str:
    client = await services.open("websocket", cursor, wait_for_auth=False)
    return str((await client.next("reset", "opportunity_updated", timeout=20)).body.get("reason"))


async def _poll(services: Services, cursor: str) -> str:
    async with services.api_client() as http:
        answer = await http.get("/api/sync/opportunities", params={"since": cursor})
    return str(answer.json().get("reason"))


@pytest.mark.parametrize("read", [_stream, _poll])
async def test_a_read_blocked_by_a_prune_is_reset_as_pruned(
    database: Database, read: Callable[[Services, str], Coroutine[None, None, str]]
) -> None:
    await add_people(database)
    async with serving(database) as services:
        cursor = (await services.open("websocket")).cursor
        assert cursor is not None
        await services.feed(), await services.api()
        await _write_prunable(database)
        runtime = await services.runtime("websocket")
        (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
        await until(lambda: runtime.tailer.head.anchor >= row["seq"])
        runtime.publisher.replay_buffer.clear()
        runtime.publisher.replay_buffer.record(runtime.tailer.head)
        async with _pruning(database):
            reading: asyncio.Task[str] = asyncio.create_task(read(services, cursor))
            await _wait_until_blocked(database)
        assert await reading == "pruned"


async def test_a_read_pass_on_the_standby_blocked_by_a_prune_resets_its_clients(
    own_server: EmbeddedPostgres, binaries: Path | None
) -> None:
    database = Database(own_server.url(), "boardcast")
    await add_people(database)
    settings = {name: value for name, value in SERVER_SETTINGS.items() if name not in {"fsync", "full_page_writes"}}
    with standby_of(own_server, settings, binaries=binaries) as standby:
        async with serving(
            database, replica_url=standby.url(), max_replica_lag=5.0, read_interval=60.0, notify_mode="always"
        ) as services:
            client = await services.open("websocket")
            runtime = await services.runtime("websocket")
            assert runtime.replica is not None
            replica = runtime.replica
            await until(lambda: replica.status is ReplicaStatus.USED, timeout=20)
            await runtime.tailer.wait_for_pass()
            # No wake-ups: the changes stay unread until the prune is under way.
            await database.execute("SELECT setval('feed.notify_suppressed_until', 9007199254740991)")
            await _write_prunable(database)
            async with _pruning(database):
                await database.execute("SELECT pg_switch_wal()")  # without a commit, WAL is not flushed at once
                await until(lambda: fetch_value(standby, _LOCKED), timeout=10, what="the standby to replay the lock")
                runtime.tailer.wake()
                await until(lambda: fetch_value(standby, _WAITING), timeout=10, what="the read pass to wait")
            reset = await client.next("reset", "opportunity_updated", timeout=20)
            assert reset.body.get("reason") == "pruned"
