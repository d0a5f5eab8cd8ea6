"""What went past the triggers, found and repaired by the command, with clients who are told of it."""

import json
from typing import Any

import httpx
import psycopg

from cli.failures import DATABASE, PROBLEMS, USAGE
from tests.cli.harness import Commands
from tests.support.database import Database
from tests.support.services import Services, people
from tests.support.streams import EventStreamClient, WebSocketClient


async def past_the_triggers(database: Database, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        await conn.execute("SET session_replication_role = replica")
        for statement in statements:
            await conn.execute(statement.encode())


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_a_write_with_the_triggers_off_is_found_and_repaired_and_clients_are_told(
    services: Services, database: Database, production: Commands
) -> None:
    socket, stream = await services.open("websocket"), await services.open("api-events")
    assert isinstance(socket, WebSocketClient)
    assert isinstance(stream, EventStreamClient)
    assert production.run("verify").returncode == 0
    await database.execute("ALTER TABLE opportunities DISABLE TRIGGER USER")
    await database.execute("UPDATE opportunities SET title = 'Past', version_number = 2 WHERE id = 'o1'")
    await database.execute("ALTER TABLE opportunities ENABLE TRIGGER USER")
    done = production.run("verify")
    assert done.returncode == PROBLEMS
    assert "changed  opportunities o1  (version 1 in the log, 2 in the table: title, version_number)" in done.stdout
    assert "--repair" in done.stdout
    done = production.run("verify", "--repair", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    finding, *sums = objects(done.stdout)
    assert (finding["what"], finding["table"], finding["key"]) == ("changed", "opportunities", "o1")
    assert {one["table"]: (one["repaired"], one["left"]) for one in sums} == {
        "board_members": (0, 0),
        "boards": (0, 0),
        "feed.flags": (0, 0),
        "opportunities": (1, 0),
    }
    for client in (socket, stream):
        event = await client.next_event()
        assert (event.type, event.body["changes"]["title"]) == ("opportunity_updated", "Past")
        assert (event.body["version"], event.body["origin"]) == (2, "repair")
    assert production.run("verify").returncode == 0


async def test_rows_that_no_client_would_take_for_newer_are_loaded_anew(
    services: Services, database: Database, production: Commands
) -> None:
    socket = await services.open("websocket")
    assert isinstance(socket, WebSocketClient)
    url, token = f"http://127.0.0.1:{await services.api()}", services.token("ana")
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
        since = (await http.get("/api/sync/opportunities")).json()["lastSync"]
        await past_the_triggers(database, "UPDATE opportunities SET title = 'Same version' WHERE id = 'o1'")
        assert production.run("verify", "--repair").returncode == 0
        polled = await http.get("/api/sync/opportunities", params={"since": since})
        assert (polled.status_code, polled.json()["reason"]) == (410, "reload")
    assert (await socket.next_event()).type == "opportunity_updated"
    resync = await socket.next_event()
    assert (resync.type, resync.body["reason"], resync.body["table"]) == ("resync", "reload", "opportunities")


async def test_one_table_alone_and_what_is_none(production: Commands, database: Database) -> None:
    await people(database)
    await past_the_triggers(database, "UPDATE boards SET name = 'Past' WHERE id = 'b1'", "DELETE FROM opportunities")
    (found, sums) = objects(production.run("verify", "--table", "boards", "--json").stdout)
    assert (found["what"], found["columns"], sums["table"], sums["left"]) == ("changed", ["name"], "boards", 1)
    status, said = production.fails("verify", "--table", "users")
    assert (status, said) == (
        USAGE,
        "users is not attached. The attached tables are: board_members, boards, feed.flags, opportunities",
    )


async def test_triggers_that_are_off_are_a_finding_of_their_own(production: Commands, database: Database) -> None:
    await database.execute("ALTER TABLE boards DISABLE TRIGGER feed_capture_update")
    done = production.run("verify")
    assert done.returncode == PROBLEMS
    assert "boards: feed_capture_update is disabled; run ALTER TABLE … ENABLE TRIGGER …" in done.stdout


async def test_a_dba_verifies_and_repairs_nothing(production: Commands, database: Database) -> None:
    await people(database)
    await past_the_triggers(database, "UPDATE opportunities SET title = 'Past'")
    dba = {"PGOPTIONS": "-c role=feed_dba"}
    assert production.run("verify", **dba).returncode == PROBLEMS
    done = production.run("verify", "--repair", **dba)
    assert done.returncode == DATABASE
    assert "permission denied for function repair" in done.stderr
    assert production.run("verify", **dba).returncode == PROBLEMS
