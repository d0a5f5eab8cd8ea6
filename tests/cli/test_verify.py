"""`boardcast verify` finds and repairs writes that bypassed the triggers, and clients receive the repairs."""

import json
from typing import Any

import httpx
import psycopg

from cli.failures import DATABASE, PROBLEMS, USAGE
from tests.cli.harness import Commands
from tests.support.database import Database
from tests.support.services import Services, add_people
from tests.support.streams import EventStreamClient, WebSocketClient


async def bypass_triggers(database: Database, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        await conn.execute("SET session_replication_role = replica")
        for statement in statements:
            await conn.execute(statement.encode())


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_a_repair_of_an_unlogged_write_reaches_clients(
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
    finding, *summaries = objects(done.stdout)
    assert (finding["what"], finding["table"], finding["key"]) == ("changed", "opportunities", "o1")
    assert {one["table"]: (one["repaired"], one["left"]) for one in summaries} == {
        "feed.board_members": (0, 0),
        "feed.boards": (0, 0),
        "feed.flags": (0, 0),
        "feed.opportunity_details": (0, 0),
        "opportunities": (1, 0),
    }
    for client in (socket, stream):
        event = await client.next_event()
        assert (event.type, event.body["changes"]["title"]) == ("opportunity_updated", "Past")
        assert (event.body["version"], event.body["origin"]) == (2, "repair")
    assert production.run("verify").returncode == 0


async def test_a_repair_without_a_new_version_makes_clients_reload(
    services: Services, database: Database, production: Commands
) -> None:
    socket = await services.open("websocket")
    assert isinstance(socket, WebSocketClient)
    url, token = f"http://127.0.0.1:{await services.api()}", services.token("ana")
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
        since = (await http.get("/api/sync/opportunities")).json()["lastSync"]
        await bypass_triggers(database, "UPDATE opportunities SET title = 'Same version' WHERE id = 'o1'")
        assert production.run("verify", "--repair").returncode == 0
        polled = await http.get("/api/sync/opportunities", params={"since": since})
        assert (polled.status_code, polled.json()["reason"]) == (410, "reload")
    assert (await socket.next_event()).type == "opportunity_updated"
    resync = await socket.next_event()
    assert (resync.type, resync.body["reason"], resync.body["table"]) == ("resync", "reload", "opportunities")


async def test_uncertain_rows_are_counted_and_are_no_failure(production: Commands, database: Database) -> None:
    await database.execute("CREATE TABLE tasks (id int PRIMARY KEY, name text)")
    await database.execute("INSERT INTO tasks VALUES (1, 'One'), (2, 'Two')")
    assert production.run("attach", "tasks").returncode == 0
    await database.execute("UPDATE tasks SET name = name WHERE id = 1")
    done = production.run("verify")
    assert (done.returncode, "unlogged" in done.stdout) == (0, False)
    assert "tasks: 1 rows that are not in the log are uncertain" in done.stdout
    (finding, summary) = objects(production.run("verify", "--table", "tasks", "--json").stdout)
    assert (finding["what"], finding["key"], summary["uncertain"], summary["left"]) == ("uncertain", "1", 1, 0)
    (summary,) = objects(production.run("verify", "--table", "tasks", "--repair", "--json").stdout)[1:]
    assert (summary["repaired"], summary["uncertain"]) == (1, 0)
    assert "uncertain:" not in production.output("verify", "--table", "tasks")


async def test_verify_of_one_table_and_of_an_unattached_table(production: Commands, database: Database) -> None:
    await add_people(database)
    await bypass_triggers(database, "UPDATE feed.boards SET name = 'Past' WHERE id = 'b1'", "DELETE FROM opportunities")
    (found, summaries) = objects(production.run("verify", "--table", "feed.boards", "--json").stdout)
    assert (found["what"], found["columns"], summaries["table"], summaries["left"]) == (
        "changed",
        ["name"],
        "feed.boards",
        1,
    )
    status, message = production.fails("verify", "--table", "users")
    assert (status, message) == (
        USAGE,
        (
            "users is not attached. The attached tables are: "
            "feed.board_members, feed.boards, feed.flags, feed.opportunity_details, opportunities"
        ),
    )


async def test_disabled_triggers_are_reported(production: Commands, database: Database) -> None:
    await database.execute("ALTER TABLE feed.boards DISABLE TRIGGER feed_capture_update")
    done = production.run("verify")
    assert done.returncode == PROBLEMS
    fix = "ALTER TABLE feed.boards ENABLE TRIGGER feed_capture_update;"
    assert f"feed.boards: feed_capture_update is disabled. Run {fix} and verify again." in done.stdout


async def test_a_table_that_is_another_one_now_is_reported_until_it_is_attached_again(
    services: Services, database: Database, production: Commands
) -> None:
    await database.execute("CREATE TABLE tasks (id int PRIMARY KEY, board_id text)")
    assert production.run("attach", "tasks", "--board", "board_id").returncode == 0
    await database.execute("INSERT INTO tasks VALUES (1, 'b1')")
    assert production.run("verify").returncode == 0
    socket = await services.open("websocket")
    assert isinstance(socket, WebSocketClient)
    for statement in (
        "CREATE TABLE tasks_new (LIKE tasks INCLUDING ALL)",
        "INSERT INTO tasks_new VALUES (2, 'b1')",
        "DROP TABLE tasks",
        "ALTER TABLE tasks_new RENAME TO tasks",
    ):
        await database.execute(statement.encode())  # type: ignore[arg-type]
    done = production.run("verify")
    assert done.returncode == PROBLEMS
    assert (
        "public.tasks is another table now. Run SELECT feed.attach('tasks', key => 'id', board => 'board_id');"
        in done.stdout
    )
    findings = {one["topic"]: one for one in objects(production.run("doctor", "--json").stdout)}
    assert findings["tables"]["status"] == "bad"
    assert production.run("attach", "tasks", "--board", "board_id").returncode == 0
    resync = await socket.next_event()
    assert (resync.type, resync.body["reason"], resync.body["table"]) == ("resync", "reload", "tasks")
    assert production.run("verify").returncode == 0


async def test_a_table_that_was_dropped_can_be_detached_by_its_name(production: Commands, database: Database) -> None:
    await database.execute('CREATE TABLE "My Tasks" (id int PRIMARY KEY)')
    assert production.run("attach", '"My Tasks"').returncode == 0
    await database.execute('DROP TABLE "My Tasks"')
    done = production.run("verify")
    assert (done.returncode, 'public."My Tasks" was dropped' in done.stdout) == (PROBLEMS, True)
    assert production.output("detach", '"My Tasks"') == 'detached "My Tasks"; its logged changes stay in the log'
    assert production.run("verify").returncode == 0
    assert production.fails("detach", '"My Tasks"')[0] == DATABASE


async def test_feed_dba_can_verify_but_not_repair(production: Commands, database: Database) -> None:
    await add_people(database)
    await bypass_triggers(database, "UPDATE opportunities SET title = 'Past'")
    as_dba = {"PGOPTIONS": "-c role=feed_dba"}
    assert production.run("verify", **as_dba).returncode == PROBLEMS
    done = production.run("verify", "--repair", **as_dba)
    assert done.returncode == DATABASE
    assert "permission denied for function repair" in done.stderr
    assert production.run("verify", **as_dba).returncode == PROBLEMS
