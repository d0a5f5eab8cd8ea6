"""The services log JSON lines that identify requests and streams, and never contain secrets."""

import json
import logging
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.cli.harness import SECRET, Commands, Service
from tests.cli.test_up import port_of
from tests.support.database import Database
from tests.support.services import add_people
from tests.support.streams import EventStreamClient, RefusedError, WebSocketClient
from tests.support.until import until

REQUEST_ID = "req-7f3a"
TRACE = "0af7651916cd43dd8448eb211c80319c"
NOTE = "the margin is 41 percent"
FORGED_TOKEN = "eyJhbGciOiJIUzI1NiJ9.bm90IGEgdG9rZW4.c2lnbmVkIGJ5IG5vYm9keQ"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


class Scenario:
    """Uses running services like a user; `secrets` are the secrets sent to them."""

    def __init__(self, up: Service, database: Database) -> None:
        self.up = up
        self.database = database
        self.secrets = {SECRET, str(urlsplit(database.url).password), FORGED_TOKEN, NOTE}
        self.writes = 0
        self.feed, self.api = port_of(up.feed), port_of(up.api)

    async def sign_in(self, client: httpx.AsyncClient) -> str:
        response = await client.post("/api/auth/token", json={"user": "ana"}, headers={"X-Request-ID": REQUEST_ID})
        assert response.headers["X-Request-ID"] == REQUEST_ID
        token = str(response.json()["token"])
        self.secrets |= {token, token.split(".")[2], *client.cookies.values()}
        return token

    async def ticket(self, client: httpx.AsyncClient) -> str:
        ticket = str((await client.post("/api/events/ticket")).json()["ticket"])
        self.secrets.add(ticket)
        return ticket

    async def write(self, client: httpx.AsyncClient) -> None:
        headers = {"If-Match": "*", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        self.writes += 1
        body = {"notes": f"{NOTE} {self.writes}"}
        assert (await client.patch("/api/opportunities/o1", json=body, headers=headers)).status_code == 200

    async def stream(self, token: str, client: httpx.AsyncClient) -> None:
        """Open streams with a ticket, a used ticket, a token in the query, a forged token, and by WebSocket."""
        for port, path in ((self.feed, "/sse"), (self.api, "/api/events")):
            address = f"{path}?ticket={await self.ticket(client)}"
            stream = await EventStreamClient.connect(port, address, headers={"X-Request-ID": REQUEST_ID})
            assert stream.headers["x-request-id"] == REQUEST_ID
            await stream.next("auth_success")
            await self.write(client)
            await stream.next_event()
            for wrong in (address, f"{path}?ticket={FORGED_TOKEN}", f"{path}?token={token}"):
                with pytest.raises(RefusedError) as refused:
                    await EventStreamClient.connect(port, wrong, headers={"X-Request-ID": REQUEST_ID})
                assert refused.value.problem["request_id"] == refused.value.headers["x-request-id"] == REQUEST_ID
            with pytest.raises(RefusedError):
                await EventStreamClient.connect(port, path, headers={"Authorization": f"Bearer {FORGED_TOKEN}"})
            await stream.close()
        for token_sent, response in ((token, "auth_success"), (FORGED_TOKEN, "auth_error")):
            socket = await WebSocketClient.connect(self.feed, token_sent, "ana")
            await socket.next(response)
            if token_sent == token:
                await socket.send(f"not a valid message, but contains {token}")
            await socket.wait_closed()
            await socket.close()

    async def lose_the_database(self) -> None:
        await self.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'boardcast-%'"
        )

        async def reconnected() -> bool:
            return sum("following the log again" in line["event"] for line in lines(self.up.log)) == 2

        await until(reconnected, timeout=15)


async def test_no_log_line_contains_a_secret(production: Commands, database: Database) -> None:
    await add_people(database)
    with production.serving("up", BOARDCAST_DEMO="true", LOG_LEVEL="debug", LOG_FORMAT="json") as up:
        scenario = Scenario(up, database)
        async with httpx.AsyncClient(base_url=up.api, trust_env=False) as client:
            token = await scenario.sign_in(client)
            client.headers["Authorization"] = f"Bearer {token}"
            await scenario.stream(token, client)
            wrong = await client.get("/api/boards", headers={"Authorization": f"Bearer {FORGED_TOKEN}"})
            assert wrong.status_code == 401
            await scenario.lose_the_database()
    text = up.log.read_text()
    assert [line for line in text.splitlines() if any(secret in line for secret in scenario.secrets)] == []
    found = lines(up.log)
    assert len(found) > 30
    assert not {line.get("logger") for line in found} & {"websockets.server"}, "the frames of clients"
    for line in found:
        assert {"event", "level", "timestamp"} <= line.keys(), line
        logging.getLevelNamesMapping()[line["level"].upper()]
        assert time.strptime(line["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")


async def test_requests_and_streams_are_logged_with_their_ids(production: Commands, database: Database) -> None:
    await add_people(database)
    with production.serving("up", BOARDCAST_DEMO="true", LOG_LEVEL="debug", LOG_FORMAT="json") as up:
        scenario = Scenario(up, database)
        async with httpx.AsyncClient(base_url=up.api, trust_env=False) as client:
            token = await scenario.sign_in(client)
            client.headers["Authorization"] = f"Bearer {token}"
            await scenario.stream(token, client)
    found = lines(up.log)
    (sign_in,) = [line for line in found if line.get("path") == "/api/auth/token"]
    assert (sign_in["request_id"], sign_in["status"]) == (REQUEST_ID, 200)
    assert [line["trace_id"] for line in found if "trace_id" in line and line["event"] == "request"] == [TRACE] * 2
    for transport, service in (("sse-chunked", "feed"), ("sse", "api"), ("websocket", "feed")):
        (opened,) = [line for line in found if line["event"] == "stream opened" and line["transport"] == transport]
        assert opened["user"] == "ana"
        assert opened["instance"].startswith(service)
        assert opened["request_id"] == REQUEST_ID or transport == "websocket"
        (authenticated,) = [
            line
            for line in found
            if line["event"] == "auth_success sent" and line["connection"] == opened["connection"]
        ]
        assert (authenticated["resume"], authenticated["request_id"]) == ("live", opened["request_id"])
        assert authenticated["cursor"].count(".") == 5
        closed = [line for line in found if line["event"] == "stream closed"]
        assert opened["connection"] in {line["connection"] for line in closed}
    assert {line["instance"].split("-")[0] for line in found if line["event"] == "following the log"} == {"feed", "api"}
    assert all("instance" in line for line in found if line["event"] == "this instance is the pacer")


async def test_an_invalid_request_id_is_replaced(production: Commands, database: Database) -> None:
    await add_people(database)
    with production.serving("up", LOG_LEVEL="debug", LOG_FORMAT="json") as up:
        async with httpx.AsyncClient(trust_env=False) as client:
            for base in (up.feed, up.api):
                for given in ("", "two words", 'x" } {', "x" * 129):
                    response = await client.get(f"{base}/healthz", headers={"X-Request-ID": given})
                    generated = response.headers["X-Request-ID"]
                    assert generated.isalnum(), generated
                    assert len(generated) == 32
                expecting = await client.get(f"{base}/healthz", headers={"Expect": "miracles"})
                assert expecting.status_code in {200, 417}
                response = await client.get(f"{base}/nothing-is-here", headers={"X-Request-ID": REQUEST_ID})
                assert (response.json()["request_id"], response.headers["X-Request-ID"]) == (REQUEST_ID, REQUEST_ID)


async def test_level_info_logs_nothing_about_successful_requests(production: Commands, database: Database) -> None:
    await add_people(database)
    with production.serving("up", BOARDCAST_DEMO="true", LOG_FORMAT="json") as up:
        scenario = Scenario(up, database)
        async with httpx.AsyncClient(base_url=up.api, trust_env=False) as client:
            token = await scenario.sign_in(client)
            client.headers["Authorization"] = f"Bearer {token}"
            before = len(lines(up.log))
            await scenario.stream(token, client)
            assert [line["event"] for line in lines(up.log)[before:] if "pacer" not in line["event"]] == []
