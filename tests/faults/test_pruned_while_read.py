"""A partition that is dropped is gone in older snapshots too: a read that was begun before must not take that for silence."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from db.embedded.server import EmbeddedPostgres
from feed.tailing.replica import ReplicaStatus
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database
from tests.support.services import Services, people, serving
from tests.support.standby import ask, standby_of
from tests.support.until import until

pytestmark = pytest.mark.flaky(reruns=0)

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'feed.log'::regclass"
_LOCKED = (
    "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'feed.log'::regclass"
)


async def _unread(database: Database) -> None:
    """Write what is to be pruned, and something newer in the next partition."""
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


async def _waits(database: Database) -> None:
    async def there() -> bool:
        return bool((await database.execute("SELECT count(*) AS n FROM pg_locks WHERE NOT granted"))[0]["n"])

    await until(there, timeout=10, what="the read to wait")


async def _stream(services: Services, cursor: str) -> str:
    client = await services.open("websocket", cursor, greeted=False)
    return str((await client.next("reset", "opportunity_updated", timeout=20)).body.get("reason"))


async def _poll(services: Services, cursor: str) -> str:
    async with services.asking() as http:
        answer = await http.get("/api/sync/opportunities", params={"since": cursor})
    return str(answer.json().get("reason"))


@pytest.mark.parametrize("read", [_stream, _poll])
async def test_a_read_that_waits_for_the_pruning_says_what_was_pruned(
    database: Database, read: Callable[[Services, str], Coroutine[None, None, str]]
) -> None:
    await people(database)
    async with serving(database) as services:
        cursor = (await services.open("websocket")).cursor
        assert cursor is not None
        await services.feed(), await services.api()
        await _unread(database)
        hub = await services.hub("websocket")
        (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
        await until(lambda: hub.tailer.head.anchor >= row["seq"])
        hub.publisher.replay_buffer.clear()
        hub.publisher.replay_buffer.record(hub.tailer.head)
        async with _pruning(database):
            reading: asyncio.Task[str] = asyncio.create_task(read(services, cursor))
            await _waits(database)
        assert await reading == "pruned"


async def test_a_sweep_on_the_standby_that_waits_for_the_pruning_resets_its_clients(
    own_server: EmbeddedPostgres, binaries: Path | None
) -> None:
    database = Database(own_server.url(), "boardcast")
    await people(database)
    settings = {name: value for name, value in SERVER_SETTINGS.items() if name not in {"fsync", "full_page_writes"}}
    with standby_of(own_server, settings, binaries=binaries) as standby:
        async with serving(
            database, replica_url=standby.url(), max_replica_lag=5.0, read_interval=60.0, notify_mode="always"
        ) as services:
            client = await services.open("websocket")
            hub = await services.hub("websocket")
            assert hub.replica is not None
            used = hub.replica
            await until(lambda: used.status is ReplicaStatus.USED, timeout=20)
            await hub.tailer.wait_for_pass()
            # Nobody is woken: what is unread stays so until the pruning is under way.
            await database.execute(
                "CREATE OR REPLACE FUNCTION feed.notify(seq bigint, relation text, op text) RETURNS void LANGUAGE sql AS ''"
            )
            await _unread(database)
            async with _pruning(database):
                await database.execute("SELECT pg_switch_wal()")  # what does not commit is written some time, not now
                await until(lambda: ask(standby, _LOCKED), timeout=10, what="the standby to replay the lock")
                hub.tailer.wake()
                await until(lambda: ask(standby, _WAITING), timeout=10, what="the sweep to wait")
            reset = await client.next("reset", "opportunity_updated", timeout=20)
            assert reset.body.get("reason") == "pruned"
