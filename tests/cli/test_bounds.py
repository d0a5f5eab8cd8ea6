"""At the limits of a server, commands fail with one line, the services keep what they have, and the doctor names the limit."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import psycopg
import pytest

from cli.failures import DATABASE, OK, PROBLEMS
from db import migrate
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from tests.cli.harness import SECRET, Commands
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database
from tests.support.services import people, serving
from tests.support.smalldisk import SmallDisk, small_database
from tests.support.until import until

NOTES = [secrets.token_hex(2000) for _ in range(100)]


@pytest.fixture
def small(server: EmbeddedPostgres, template: str) -> Iterator[tuple[SmallDisk, Database]]:
    with small_database(server, template) as found:
        yield found


async def test_a_full_disk_is_said_in_a_line_and_found(commands: Commands, small: tuple[SmallDisk, Database]) -> None:
    disk, database = small
    await people(database)
    commands.env["DATABASE_URL"] = database.url
    async with await database.connect() as conn:
        await conn.execute(
            "INSERT INTO opportunities (board_id, notes) SELECT 'b1', n FROM unnest(%s::text[]) AS n", (NOTES,)
        )
        await conn.execute("SET session_replication_role = replica")
        await conn.execute("UPDATE opportunities SET title = 'Past the triggers'")
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


class Crowd:
    """Connections that take all that a server gives; each may write as well."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.members: list[psycopg.AsyncConnection[Any]] = []

    async def fill(self) -> None:
        while True:
            try:
                member = await psycopg.AsyncConnection.connect(self._url, autocommit=True, application_name="crowd")
            except psycopg.OperationalError as error:
                assert "too many clients" in str(error)  # noqa: PT017 - the loop ends with it
                return
            self.members.append(member)

    async def part(self, number: int) -> None:
        for _ in range(number):
            await self.members.pop().close()


@pytest.fixture
async def crowded(binaries: Any) -> AsyncIterator[Database]:
    """A server that gives few connections."""
    with ephemeral_postgres(SERVER_SETTINGS | {"max_connections": "30"}, binaries=binaries) as server:
        migrate.upgrade(server.url())
        database = Database(server.url(), "boardcast")
        await people(database)
        yield database


async def test_services_go_on_without_a_connection_to_spare(crowded: Database) -> None:
    crowd = Crowd(crowded.url)
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(serving(crowded))
        clients = [await services.open(transport) for transport in ("websocket", "sse", "api-events")]
        ana = await stack.enter_async_context(services.asking())
        await crowd.fill()
        writer = crowd.members[0]
        await writer.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o1'")
        for client in clients:
            assert (await client.next_event()).body["version"] == 2

        # Whoever loses his connection now gets none: the crowd takes the place. Nothing is lost meanwhile.
        async def alone() -> bool:
            ours = "FROM pg_stat_activity WHERE application_name ~ 'boardcast-(api|listener|tailer|feed)'"
            await writer.execute(f"SELECT pg_terminate_backend(pid, 5000) {ours}".encode())
            await crowd.fill()
            (left,) = await (await writer.execute(f"SELECT count(*) {ours}".encode())).fetchone() or (None,)
            return bool(left == 0)

        await until(alone, timeout=30, what="the crowd to have every place")
        hub = await services.hub("websocket")
        await until(lambda: not hub.ready, timeout=20, what="not ready")
        await writer.execute("UPDATE opportunities SET title = 'C' WHERE id = 'o1'")

        body, match = {"title": "D"}, {"If-Match": '"v3"'}
        answer = await ana.patch("/api/opportunities/o1", json=body, headers=match)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "database-unavailable")
        await crowd.part(len(crowd.members) - 1)
        for client in clients:
            assert (await client.next_event()).body["version"] == 3
        await until(lambda: hub.ready, timeout=20, what="ready again")
        assert (await ana.patch("/api/opportunities/o1", json=body, headers=match)).status_code == 200
        for client in clients:
            assert (await client.next_event()).body["version"] == 4
        await crowd.part(1)


async def test_commands_say_that_there_is_no_connection_left(commands: Commands, crowded: Database) -> None:
    commands.env |= {"DATABASE_URL": crowded.url, "JWT_SECRET": SECRET}
    crowd = Crowd(crowded.url)
    await crowd.fill()
    for command in (["log"], ["doctor"], ["feed"], ["api"], ["migrate"]):
        status, said = await asyncio.to_thread(commands.fails, *command)
        assert (status, "too many clients" in said, "boardcast doctor" in said) == (DATABASE, True, True), said
    await crowd.part(1)
    done = await asyncio.to_thread(commands.run, "doctor", "--json")
    found = {each["topic"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, found["connections"]["status"]) == (PROBLEMS, "bad")
    assert {found[topic]["status"] for topic in ("pooler", "LISTEN")} == {"unknown"}
    await crowd.part(len(crowd.members))
