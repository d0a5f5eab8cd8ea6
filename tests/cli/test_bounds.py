"""At the limits of a server, commands fail with one line, services keep their connections, and the doctor names the limit."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import psycopg
import pytest

from cli.failures import DATABASE, OK, PROBLEMS
from db.embedded.server import EmbeddedPostgres
from tests.cli.harness import SECRET, Commands
from tests.conftest import SERVER_SETTINGS
from tests.support.clusters import RunServer
from tests.support.database import Database
from tests.support.services import add_people, serving
from tests.support.smalldisk import SmallDisk, small_database
from tests.support.until import until

NOTES = [secrets.token_hex(2000) for _ in range(100)]


@pytest.fixture
def small_disk(server: EmbeddedPostgres, template: str) -> Iterator[tuple[SmallDisk, Database]]:
    with small_database(server, template) as found:
        yield found


async def test_a_full_disk_is_reported_in_one_line_and_by_the_doctor(
    commands: Commands, small_disk: tuple[SmallDisk, Database]
) -> None:
    disk, database = small_disk
    await add_people(database)
    commands.env["DATABASE_URL"] = database.url
    async with await database.connect() as conn:
        await conn.execute(
            "INSERT INTO opportunities (board_id, notes) SELECT 'b1', n FROM unnest(%s::text[]) AS n", (NOTES,)
        )
        await conn.execute("SET session_replication_role = replica")
        await conn.execute("UPDATE opportunities SET title = 'Bypassed'")
    disk.fill()
    log = await asyncio.to_thread(commands.run, "log", "--json")
    assert (log.returncode, log.stderr) == (OK, "")
    repair = await asyncio.to_thread(commands.run, "verify", "--repair")
    assert repair.returncode == DATABASE
    (line,) = repair.stderr.splitlines()
    assert line.startswith("boardcast: database error: could not extend file ")
    assert line.endswith(": No space left on device (Check free disk space.)")

    done = await asyncio.to_thread(commands.run, "doctor", "--json")
    found = {each["topic"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, found["disk"]["status"]) == (PROBLEMS, "bad")
    assert str(disk.folder) in found["disk"]["found"]
    assert found["disk"]["fix"].startswith("boardcast retain ")
    disk.free()
    assert "left" in await asyncio.to_thread(commands.output, "verify", "--repair")
    done = await asyncio.to_thread(commands.run, "doctor", "--json")
    found = {each["topic"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert found["disk"]["status"] != "bad"


class ConnectionHog:
    """Takes all free connections of a server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.connections: list[psycopg.AsyncConnection[Any]] = []

    async def fill(self) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, application_name="hog")
            except psycopg.OperationalError as error:
                assert "too many clients" in str(error)  # noqa: PT017 - this ends the loop
                return
            self.connections.append(connection)

    async def close(self, number: int) -> None:
        for _ in range(number):
            await self.connections.pop().close()


@pytest.fixture
async def small_server(run_server: RunServer) -> AsyncIterator[Database]:
    """A server that allows few connections."""
    with run_server(SERVER_SETTINGS | {"max_connections": "30"}) as server:
        database = Database(server.url(), "boardcast")
        await add_people(database)
        yield database


async def test_services_keep_working_at_the_connection_limit(small_server: Database) -> None:
    hog = ConnectionHog(small_server.url)
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(serving(small_server))
        clients = [await services.open(transport) for transport in ("websocket", "sse", "api-events")]
        ana = await stack.enter_async_context(services.api_client())
        await hog.fill()
        writer = hog.connections[0]
        await writer.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o1'")
        for client in clients:
            assert (await client.next_event()).body["version"] == 2

        # A service that loses its connection now cannot reconnect, because the hog takes it. No event is lost.
        async def all_taken() -> bool:
            ours = "FROM pg_stat_activity WHERE application_name ~ 'boardcast-(api|listener|tailer|feed)'"
            await writer.execute(f"SELECT pg_terminate_backend(pid, 5000) {ours}".encode())
            await hog.fill()
            (remaining,) = await (await writer.execute(f"SELECT count(*) {ours}".encode())).fetchone() or (None,)
            return bool(remaining == 0)

        await until(all_taken, timeout=30, what="the hog to hold every connection")
        runtime = await services.runtime("websocket")
        await until(lambda: not runtime.ready, timeout=20, what="not ready")
        await writer.execute("UPDATE opportunities SET title = 'C' WHERE id = 'o1'")

        body, match = {"title": "D"}, {"If-Match": '"v3"'}
        response = await ana.patch("/api/opportunities/o1", json=body, headers=match)
        assert (response.status_code, response.json()["type"].rpartition("/")[2]) == (503, "database-unavailable")
        await hog.close(len(hog.connections) - 1)
        for client in clients:
            assert (await client.next_event()).body["version"] == 3
        await until(lambda: runtime.ready, timeout=20, what="ready again")
        assert (await ana.patch("/api/opportunities/o1", json=body, headers=match)).status_code == 200
        for client in clients:
            assert (await client.next_event()).body["version"] == 4
        await hog.close(1)


async def test_commands_report_that_no_connection_is_left(commands: Commands, small_server: Database) -> None:
    commands.env |= {"DATABASE_URL": small_server.url, "JWT_SECRET": SECRET}
    hog = ConnectionHog(small_server.url)
    await hog.fill()
    for command in (["log"], ["doctor"], ["feed"], ["api"], ["migrate"]):
        status, message = await asyncio.to_thread(commands.fails, *command)
        assert (status, "too many clients" in message, "boardcast doctor" in message) == (DATABASE, True, True), message
    await hog.close(1)
    done = await asyncio.to_thread(commands.run, "doctor", "--json")
    found = {each["topic"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, found["connections"]["status"]) == (PROBLEMS, "bad")
    assert {found[topic]["status"] for topic in ("pooler", "LISTEN")} == {"unknown"}
    await hog.close(len(hog.connections))
