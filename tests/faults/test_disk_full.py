"""The database's disk is full: writes fail whole with a clear error, commits are delivered, and freeing space restores service."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database
from tests.support.services import Services, add_people, serving
from tests.support.smalldisk import SmallDisk, small_database, small_server, write_until_full
from tests.support.streams import Client
from tests.support.until import until


@pytest.fixture
def small(server: EmbeddedPostgres, template: str) -> Iterator[tuple[SmallDisk, Database]]:
    with small_database(server, template) as found:
        yield found


@pytest.fixture
def disk(small: tuple[SmallDisk, Database]) -> SmallDisk:
    return small[0]


@pytest.fixture
def database(small: tuple[SmallDisk, Database]) -> Database:
    return small[1]


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Services]:
    await add_people(database)
    async with serving(database) as services:
        yield services


async def card_and_log_version(database: Database) -> tuple[int, int]:
    """The card's version, and its newest version in the log."""
    (row,) = await database.execute(
        "SELECT o.version_number AS card, (SELECT max(version) FROM feed.log WHERE key = 'o1') AS log"
        " FROM opportunities AS o WHERE id = 'o1'"
    )
    return row["card"], row["log"]


async def read_to(client: Client, version: int) -> list[int]:
    seen: list[int] = []
    while not seen or seen[-1] < version:
        message = await client.next_event()
        assert message.type == "opportunity_updated", message
        seen.append(message.body["version"])
    return seen


async def test_a_full_disk_loses_nothing_and_writes_work_again_once_space_is_freed(
    served: Services, disk: SmallDisk, database: Database
) -> None:
    clients = [await served.open(transport) for transport in ("websocket", "sse", "api-events")]
    for title in ("B", "C"):
        await database.execute("UPDATE opportunities SET title = %s WHERE id = 'o1'", (title,))
    disk.fill()
    assert "No space left on device" in str(await write_until_full(database))
    card, logged = await card_and_log_version(database)
    assert card == logged
    async with served.api_client() as ana:
        refused = await _until_refused(ana)
        assert refused.json()["type"].endswith("database-unavailable")
        assert (await ana.get("/api/boards/b1")).status_code == 200
        assert (await ana.get("/readyz")).status_code == 200
    card, logged = await card_and_log_version(database)
    assert card == logged
    for client in clients:
        assert await read_to(client, card) == list(range(2, card + 1))

    disk.free()
    async with served.api_client() as ana:
        body, match = {"notes": secrets.token_hex(1000)}, {"If-Match": "*"}
        assert (await ana.patch("/api/opportunities/o1", json=body, headers=match)).status_code == 200
    for client in clients:
        assert await read_to(client, card + 1) == [card + 1]


async def _until_refused(ana: httpx.AsyncClient) -> httpx.Response:
    for _ in range(500):
        body, match = {"notes": secrets.token_hex(1000)}, {"If-Match": "*"}
        answer = await ana.patch("/api/opportunities/o1", json=body, headers=match)
        if answer.status_code != 200:
            assert answer.status_code == 503
            return answer
    raise AssertionError("the disk does not fill")


async def test_services_start_and_stream_on_a_full_disk(disk: SmallDisk, database: Database) -> None:
    await add_people(database)
    disk.fill()
    await write_until_full(database)
    async with serving(database) as services:
        client = await services.open("websocket")
        assert client.cursor is not None
        disk.free()
        await database.execute("UPDATE opportunities SET title = 'Room'")
        assert (await client.next_event()).body["changes"]["title"] == "Room"


async def test_a_server_stopped_by_a_full_wal_disk_recovers(binaries: Path | None) -> None:
    """PostgreSQL shuts down when WAL cannot be written. After a restart with space, it has every commit, and clients continue."""
    with small_server(binaries) as (disk, server):
        database = Database(server.url(), "boardcast")
        await add_people(database)
        async with serving(database) as services:
            client = await services.open("websocket")
            await database.execute("UPDATE opportunities SET title = 'B'")
            assert await read_to(client, 2) == [2]
            disk.fill()

            async def stopped() -> bool:
                with suppress(psycopg.Error):
                    await database.execute("SELECT pg_switch_wal() FROM pg_create_restore_point('another')")
                return server.died

            await until(stopped, timeout=30, what="the server to stop")
            disk.free()
            server.start()
            await database.execute("UPDATE opportunities SET title = 'C'")
            assert await read_to(client, 3) == [3]
