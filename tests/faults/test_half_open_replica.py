"""A half-open connection to the standby that the log is read on: TCP is acknowledged, but no answer ever comes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded.server import EmbeddedPostgres
from feed.tailing.replica import ReplicaStatus
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import add_people, serving
from tests.support.standby import standby_of
from tests.support.until import until

SETTINGS = {name: value for name, value in SERVER_SETTINGS.items() if name not in {"fsync", "full_page_writes"}}


@pytest.fixture
def standby(own_server: EmbeddedPostgres, binaries: Path | None) -> Iterator[EmbeddedPostgres]:
    with standby_of(own_server, SETTINGS, binaries=binaries) as server:
        yield server


@pytest.fixture
async def database(own_server: EmbeddedPostgres) -> Database:
    found = Database(own_server.url(), "boardcast")
    await add_people(found)
    return found


PHASES = {
    "BEGIN": (b"BEGIN", 0),
    "isolation": (b"BEGIN", 1),
    "identity": (b"BEGIN", 2),
    "read": (b"BEGIN", 3),
    "COMMIT": (b"COMMIT", 0),
    "replayed": (b"COMMIT", 1),
}


async def test_a_hung_read_on_the_standby_falls_back_to_the_primary_in_every_phase(
    database: Database, standby: EmbeddedPostgres
) -> None:
    async with (
        Proxy.for_url(standby.url()) as proxy,
        serving(
            database, replica_url=proxy.rewrite_url(standby.url()), max_replica_lag=1.0, read_interval=0.1
        ) as services,
    ):
        client = await services.open("websocket")
        runtime = await services.runtime("websocket")
        replica = runtime.replica
        assert replica is not None
        for phase, (said, after) in PHASES.items():
            await until(lambda: replica.used, timeout=20, what=f"the standby to be used before {phase}")
            proxy.hang_at(said, after)
            await until(lambda: proxy.hanging, what=f"a read to hang at {phase}")
            unready = asyncio.create_task(until(lambda: not runtime.ready, timeout=60))
            await database.execute("UPDATE opportunities SET notes = %s", [phase])
            event = await client.next_event(timeout=10)
            assert event.body["changes"]["notes"] == phase
            assert replica.status is ReplicaStatus.UNREACHABLE
            assert not unready.done(), phase
            unready.cancel()
            proxy.hang_at(None)
            proxy.cut()


@pytest.mark.parametrize("after", [0, 1], ids=["proof", "read"])
async def test_a_hung_recovery_on_the_standby_falls_back_to_the_primary(
    database: Database, standby: EmbeddedPostgres, after: int
) -> None:
    async with (
        Proxy.for_url(standby.url()) as proxy,
        serving(
            database, replica_url=proxy.rewrite_url(standby.url()), max_replica_lag=1.0, read_interval=60.0
        ) as services,
    ):
        client = await services.open("websocket")
        runtime = await services.runtime("websocket")
        replica = runtime.replica
        assert replica is not None
        await until(lambda: replica.used, timeout=20)
        start = client.cursor
        await database.execute("UPDATE opportunities SET notes = 'x'")
        await client.next_event()
        runtime.publisher.replay_buffer.clear()
        proxy.hang_at(b"AS last_seq", after)  # only the recovery of a client validates a cursor
        late = await services.open("websocket", start, wait_for_auth=False)
        await late.next("auth_success", timeout=10)
        assert (await late.next_event(timeout=10)).body["version"] == 2
        assert proxy.hanging == 1
        assert replica.used, "one slow read does not disqualify the standby"
