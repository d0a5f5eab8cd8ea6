"""A standby that cannot be read, or must not be, is not read: the primary is read until it can be used again."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from db.embedded.server import EmbeddedPostgres
from feed.tailing.replica import Replica, ReplicaReadError, ReplicaStatus
from tests.faults.standby.load import (
    check_complete,
    collect_updates,
    count_reads,
    load,
    serving_from_standby,
    wait_for_standby_reads,
    wait_for_status,
)
from tests.support.database import Database
from tests.support.services import serving
from tests.support.standby import fetch_value, promote, wait_for_replay
from tests.support.until import until


async def _pause_replay(standby: EmbeddedPostgres) -> Callable[[], Awaitable[None]]:
    fetch_value(standby, "SELECT pg_wal_replay_pause()")

    async def repair() -> None:
        fetch_value(standby, "SELECT pg_wal_replay_resume()")

    return repair


async def _kill(standby: EmbeddedPostgres) -> Callable[[], Awaitable[None]]:
    await asyncio.to_thread(standby.kill)

    async def repair() -> None:
        await asyncio.to_thread(standby.start)

    return repair


@pytest.mark.parametrize(
    ("fault", "seen"), [(_pause_replay, ReplicaStatus.LAGGING), (_kill, ReplicaStatus.UNREACHABLE)]
)
async def test_reads_fall_back_to_the_primary_until_the_standby_recovers(
    database: Database,
    standby: EmbeddedPostgres,
    fault: Callable[[EmbeddedPostgres], Awaitable[Callable[[], Awaitable[None]]]],
    seen: ReplicaStatus,
) -> None:
    async with serving_from_standby(database, standby, max_replica_lag=0.3) as services:
        client = await services.open("websocket")
        loading = asyncio.create_task(load(database, 60))
        await collect_updates(client, 20)
        repair = await fault(standby)
        await wait_for_status(services, seen)
        await collect_updates(client, 100)
        await repair()
        await loading
        await check_complete(client, database)
        await wait_for_status(services, ReplicaStatus.USED, timeout=30)
        await database.execute("UPDATE opportunities SET notes = 'again on the standby' WHERE id = 's0'")
        await check_complete(client, database)
        await wait_for_standby_reads(services, 1)
        assert await count_reads(services, seen) >= 1


async def test_a_promoted_standby_is_not_read(database: Database, standby: EmbeddedPostgres) -> None:
    async with serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        loading = asyncio.create_task(load(database))
        await collect_updates(client, 20)
        await asyncio.to_thread(promote, standby)
        other = Database(standby.url(), "boardcast")
        await other.execute("UPDATE opportunities SET notes = 'of the other history' WHERE id = 'o1'")
        await loading
        await wait_for_status(services, ReplicaStatus.PROMOTED)
        await check_complete(client, database)
        assert not [m for m in client.messages if m.body.get("opportunityId") == "o1"]


@pytest.mark.parametrize("what", ["another feed", "nothing"])
async def test_a_standby_with_another_feed_is_not_read(
    own_server: EmbeddedPostgres, database: Database, standby: EmbeddedPostgres, what: str
) -> None:
    database.close_idle()
    async with await psycopg.AsyncConnection.connect(own_server.url("postgres"), autocommit=True) as admin:
        await admin.execute(f"CREATE DATABASE other TEMPLATE {'boardcast' if what == 'another feed' else 'template0'}")
    if what == "another feed":
        await Database(own_server.url("other"), "other").execute("SELECT feed.reset_feed()")
    await asyncio.to_thread(wait_for_replay, own_server, standby)
    async with serving(database, replica_url=standby.url("other"), max_replica_lag=5.0) as services:
        client = await services.open("websocket")
        await wait_for_status(services, ReplicaStatus.FOREIGN)
        await load(database, 5)
        await check_complete(client, database)
        assert await count_reads(services, "read") == 0


async def test_a_read_cancelled_by_replay_is_repeated_on_the_primary(
    database: Database, standby: EmbeddedPostgres
) -> None:
    async with await psycopg.AsyncConnection.connect(standby.url(), autocommit=True) as on_standby:
        await on_standby.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        await on_standby.execute("SELECT pg_reload_conf()")
        await until(lambda: fetch_value(standby, "SHOW max_standby_streaming_delay") == "0")
    async with serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        runtime = await services.runtime("websocket")
        assert runtime.replica is not None
        with pytest.raises(ReplicaReadError) as raised:
            await _read_until_cancelled(runtime.replica, standby, database)
        assert raised.value.outcome == "cancelled"
        assert await count_reads(services, "cancelled", "recovery") >= 1
        await database.execute("UPDATE opportunities SET notes = 'x' WHERE id = 's0'")
        await check_complete(client, database)


READING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"


async def _read_until_cancelled(reader: Replica, standby: EmbeddedPostgres, database: Database) -> None:
    """Read a table while the primary locks it. An idle transaction would be disconnected without an error instead."""
    async with reader.read_after((await reader.horizon()).written) as conn:
        reading = asyncio.create_task(conn.execute("SELECT pg_sleep(60) FROM feed.boards LIMIT 1"), name="reading")
        await until(lambda: fetch_value(standby, READING), timeout=20)
        await database.execute("ALTER TABLE feed.boards ADD COLUMN another int")
        await reading
