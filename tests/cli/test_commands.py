"""The commands, and the services in separate processes."""

import json
import re
import signal
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import jwt
import pytest
from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow

from tests.cli.harness import SECRET, Commands
from tests.cli.test_up import port_of
from tests.support.database import Database
from tests.support.services import add_people
from tests.support.streams import EventStreamClient, WebSocketClient


async def test_feed_and_api_each_in_its_own_process(production: Commands, database: Database) -> None:
    await add_people(database)
    token = production.output("token", "ana")
    bearer = {"Authorization": f"Bearer {token}"}
    with production.serving("feed") as feed, production.serving("api") as api:
        assert (feed.api, feed.database, api.feed, api.database) == ("", "", "", "")
        ws = await WebSocketClient.connect(port_of(feed.feed), token, "ana")
        sse = await EventStreamClient.connect(port_of(api.api), "/api/events", headers=bearer)
        for client in (ws, sse):
            await client.next("auth_success")
        async with httpx.AsyncClient(headers=bearer | {"If-Match": "*"}) as http:
            changed = await http.patch(f"{api.api}/api/opportunities/o1", json={"title": "Other"})
            assert changed.status_code == 200, changed.text
        first, second = await ws.next_event(), await sse.next_event()
        assert first.raw == second.raw
        assert first.cursor == second.cursor
        assert feed.stop() < 5
        assert (await ws.next("goodbye")).body["reason"] == "restart"
        assert (await ws.wait_closed()).code == 1012
        assert api.stop(signal.SIGINT) < 5
        assert (await sse.next("goodbye")).body["reason"] == "restart"
        assert (feed.process.returncode, api.process.returncode) == (0, 0)
        for client in (ws, sse):
            await client.close()


def test_logs_are_lines_of_json_on_standard_error(production: Commands) -> None:
    with production.serving("api", LOG_LEVEL="debug") as api:
        httpx.get(f"{api.api}/api/boards")
        httpx.get(f"{api.api}/healthz", headers={"X-Request-ID": "from-the-proxy"})
    lines = [json.loads(line) for line in api.log.read_text().splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert any(line.get("request_id") == "from-the-proxy" and line.get("status") == 200 for line in lines)
    assert SECRET not in api.log.read_text()


def test_log_format_and_log_level(production: Commands) -> None:
    with production.serving("feed", LOG_FORMAT="console") as feed:
        pass
    assert re.search(r"\[info\b.*following the log", feed.log.read_text())
    with production.serving("feed", LOG_FORMAT="console", LOG_LEVEL="warning") as feed:
        pass
    # A slow machine may cause warnings.
    assert "[info" not in feed.log.read_text()


async def test_migrate_and_migrate_down(commands: Commands, empty_database: Database) -> None:
    commands.env["DATABASE_URL"] = empty_database.url
    assert commands.output("migrate") == commands.output("migrate") == ""
    assert await empty_database.execute("SELECT count(*) AS n FROM feed.log") == [{"n": 0}]
    await empty_database.execute("ALTER TABLE opportunities DROP COLUMN notes, DROP COLUMN contact")
    added = commands.output("migrate").splitlines()
    assert sorted(added[:2]) == ["added column contact", "added column notes"]
    assert commands.output("migrate", "--down") == ""
    assert await empty_database.execute("SELECT to_regclass('feed.log') AS log") == [{"log": None}]


async def test_a_token_has_user_roles_and_lifetime(production: Commands, database: Database) -> None:
    await add_people(database)
    before = datetime.now(UTC)
    token = production.output("token", "ana", "--ttl", "30m", "--role", "dba", "--role", "x")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["name"], claims["roles"]) == ("ana", "Ana", ["dba", "x"])
    lifetime = datetime.fromtimestamp(claims["exp"], UTC) - before
    assert timedelta(minutes=29) < lifetime < timedelta(minutes=31)


def test_a_token_needs_no_database(commands: Commands) -> None:
    token = commands.output("token", "ana", JWT_SECRET=SECRET)
    assert jwt.decode(token, SECRET, algorithms=["HS256"])["name"] == "ana"


def test_an_unknown_user_gets_a_token_and_a_warning(production: Commands) -> None:
    done = production.run("token", "nobody")
    assert done.returncode == 0
    assert jwt.decode(done.stdout.strip(), SECRET, algorithms=["HS256"])["sub"] == "nobody"
    assert "no user nobody" in done.stderr


async def test_attach_and_detach(production: Commands, database: Database) -> None:
    await add_people(database)
    await database.execute('CREATE TABLE "Tasks" (id int PRIMARY KEY, board text, what text, secret text)')
    table, options = '"Tasks"', ("--key", "id", "--board", "board", "--exclude", "secret")
    message = production.output("attach", table, *options)
    assert message == 'attached "Tasks"; key: id; board: board; not logged: secret'
    attached = json.loads(production.output("attach", table, *options, "--json"))
    assert attached == {"table": table, "key": ["id"], "board": "board", "excluded": ["secret"]}
    await database.execute("""INSERT INTO "Tasks" VALUES (7, 'b1', 'call', 'quiet')""")
    assert production.output("detach", table) == 'detached "Tasks"; its logged changes stay in the log'
    await database.execute("""INSERT INTO "Tasks" VALUES (8, 'b1', 'write')""")
    assert await database.execute("SELECT op, key, board, new FROM feed.log WHERE relation = 'Tasks'") == [
        {"op": "insert", "key": "7", "board": "b1", "new": {"id": 7, "board": "b1", "what": "call"}}
    ]


async def test_prune_drops_old_changes_except_the_newest(production: Commands, database: Database) -> None:
    await add_people(database)
    (row,) = await database.execute("SELECT count(*) AS n FROM feed.log")
    assert production.output("prune", "--older-than", "1d") == "nothing to drop: no partition is that old"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    message = production.output("prune", "--older-than", tomorrow)
    assert message == f"dropped feed.log_1 with {row['n'] - 1} changes"
    assert await database.execute("SELECT count(*) AS n FROM feed.log") == [{"n": 1}]


async def test_retain_sets_the_retention_in_the_database(production: Commands, database: Database) -> None:
    assert production.output("retain", "30d") == ""
    assert await database.execute("SELECT retention FROM feed.maintenance") == [{"retention": timedelta(days=30)}]


async def test_json_output(production: Commands, database: Database) -> None:
    await add_people(database)

    def output(*arguments: str) -> Any:
        return json.loads(production.output(*arguments, "--json"))

    token = output("token", "ana", "--ttl", "30m", "--role", "dba")
    assert jwt.decode(token.pop("token"), SECRET, algorithms=["HS256"])["sub"] == "ana"
    assert token == {"user": "ana", "name": "Ana", "roles": ["dba"], "seconds": 1800}
    assert output("retain", "30d") == {"retention": 30 * 86400}
    assert output("migrate") == {"revision": "0001", "mended": []}
    assert production.output("prune", "--older-than", "1d", "--json") == ""
    (row,) = await database.execute("SELECT count(*) AS n FROM feed.log")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert output("prune", "--older-than", tomorrow) == {"partition": "feed.log_1", "rows": row["n"] - 1}
    reset = output("reset-feed", "--reason", "a copy")
    assert await database.execute("SELECT feed_id AS feed, reason FROM feed.identity") == [reset]


@pytest.mark.parametrize("transport", ["feed", "api"])
async def test_a_reset_of_the_feed_reaches_open_streams(
    production: Commands, database: Database, transport: str
) -> None:
    await add_people(database)
    bearer = {"Authorization": f"Bearer {production.output('token', 'ana')}"}
    with production.serving(transport) as service:
        port, path = (port_of(service.feed), "/sse") if transport == "feed" else (port_of(service.api), "/api/events")
        stream = await EventStreamClient.connect(port, path, headers=bearer)
        await stream.next("auth_success")
        message = production.output("reset-feed", "--reason", "a copy")
        reset = await stream.next("reset", timeout=15)
        assert reset.body["reason"] == "foreign"
        assert reset.body["cursor"].split(".")[0] in message
        await database.execute("UPDATE opportunities SET title = 'After'")
        assert (await stream.next_event()).body["changes"]["title"] == "After"
        await stream.close()
    assert await database.execute("SELECT reason FROM feed.identity") == [{"reason": "a copy"}]


def test_help_and_version(commands: Commands) -> None:
    assert "up " in commands.output()
    assert commands.output("--help") == commands.output()
    assert commands.output("--version").count(".") == 2


@pytest.mark.parametrize(("service", "role"), [("feed", "feed_listener"), ("api", "feed_app")])
async def test_each_service_works_with_its_role_only(
    commands: Commands, database: Database, service: str, role: str
) -> None:
    await add_people(database)
    role_name = f"{role}_of_{database.name}"
    async with await database.connect() as conn:
        await conn.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x' IN ROLE {}").format(
                sql.Identifier(role_name), sql.Identifier(role)
            )
        )
        try:
            url = urlsplit(database.url)
            commands.env["DATABASE_URL"] = urlunsplit(url._replace(netloc=f"{role_name}:x@{url.hostname}:{url.port}"))
            commands.env["JWT_SECRET"] = SECRET
            await _check_service(commands, service, conn)
        finally:
            await conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role_name)))


async def _check_service(commands: Commands, service: str, conn: AsyncConnection[DictRow]) -> None:
    token = commands.output("token", "ana", DATABASE_URL="")
    bearer = {"Authorization": f"Bearer {token}"}
    with commands.serving(service) as running:
        port, path = (port_of(running.feed), "/sse") if service == "feed" else (port_of(running.api), "/api/events")
        stream = await EventStreamClient.connect(port, path, headers=bearer)
        cursor = (await stream.next("auth_success")).cursor
        if service == "api":
            async with httpx.AsyncClient(base_url=running.api, headers=bearer | {"If-Match": "*"}) as http:
                for response in (
                    await http.patch("/api/opportunities/o1", json={"title": "Other"}),
                    await http.get("/api/boards/b1"),
                    await http.get("/api/opportunities/o1/versions"),
                    await http.get("/api/sync/opportunities", params={"since": cursor}),
                    await http.post("/api/events/ticket"),
                    await http.put("/api/opportunities/o1/presence", json={"action": "editing"}),
                ):
                    assert response.is_success, (response.url, response.text)
        else:
            await conn.execute("UPDATE opportunities SET title = 'Other' WHERE id = 'o1'")
            socket = await WebSocketClient.connect(port, token, "ana", cursor=cursor)
            await socket.send({"type": "user_editing", "opportunityId": "o1", "baseVersion": 1})
            assert (await socket.next_event()).body["changes"]["title"] == "Other"
            assert (await socket.next("user_editing")).body["userId"] == "ana"
            await socket.close()
        assert (await stream.next_event()).body["changes"]["title"] == "Other"
        await stream.close()
