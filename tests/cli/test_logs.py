"""What the services log: lines that a machine reads, by which a request and a stream are found, and no secret in any of them."""

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
from tests.support.services import people
from tests.support.streams import EventStreamClient, RefusedError, WebSocketClient
from tests.support.until import until

NAME = "req-7f3a"
TRACE = "0af7651916cd43dd8448eb211c80319c"
NOTE = "the margin is 41 percent"
NO_TOKEN = "eyJhbGciOiJIUzI1NiJ9.bm90IGEgdG9rZW4.c2lnbmVkIGJ5IG5vYm9keQ"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


class People:
    """What people do with running services; `secrets` is what they show them."""

    def __init__(self, up: Service, database: Database) -> None:
        self.up = up
        self.database = database
        self.secrets = {SECRET, str(urlsplit(database.url).password), NO_TOKEN, NOTE}
        self.writes = 0
        self.feed, self.api = port_of(up.feed), port_of(up.api)

    async def sign_in(self, client: httpx.AsyncClient) -> str:
        answer = await client.post("/api/auth/token", json={"user": "ana"}, headers={"X-Request-ID": NAME})
        assert answer.headers["X-Request-ID"] == NAME
        token = str(answer.json()["token"])
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
        """With a ticket in the address, one that is used up, a token where none belongs, and by WebSocket."""
        for port, path in ((self.feed, "/sse"), (self.api, "/api/events")):
            address = f"{path}?ticket={await self.ticket(client)}"
            stream = await EventStreamClient.connect(port, address, headers={"X-Request-ID": NAME})
            assert stream.headers["x-request-id"] == NAME
            await stream.next("auth_success")
            await self.write(client)
            await stream.next_event()
            for wrong in (address, f"{path}?ticket={NO_TOKEN}", f"{path}?token={token}"):
                with pytest.raises(RefusedError) as refused:
                    await EventStreamClient.connect(port, wrong, headers={"X-Request-ID": NAME})
                assert refused.value.problem["request_id"] == refused.value.headers["x-request-id"] == NAME
            with pytest.raises(RefusedError):
                await EventStreamClient.connect(port, path, headers={"Authorization": f"Bearer {NO_TOKEN}"})
            await stream.close()
        for shown, answer in ((token, "auth_success"), (NO_TOKEN, "auth_error")):
            socket = await WebSocketClient.connect(self.feed, shown, "ana")
            await socket.next(answer)
            if shown == token:
                await socket.send(f"this is no message, and holds {token}")
            await socket.end()
            await socket.close()

    async def lose_the_database(self) -> None:
        await self.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'boardcast-%'"
        )

        async def reconnected() -> bool:
            return sum("following the log again" in line["event"] for line in lines(self.up.log)) == 2

        await until(reconnected, timeout=15)


async def test_no_line_has_a_secret_in_it(production: Commands, database: Database) -> None:
    await people(database)
    with production.serving("up", BOARDCAST_DEMO="true", LOG_LEVEL="debug", LOG_FORMAT="json") as up:
        told = People(up, database)
        async with httpx.AsyncClient(base_url=up.api, trust_env=False) as client:
            token = await told.sign_in(client)
            client.headers["Authorization"] = f"Bearer {token}"
            await told.stream(token, client)
            wrong = await client.get("/api/boards", headers={"Authorization": f"Bearer {NO_TOKEN}"})
            assert wrong.status_code == 401
            await told.lose_the_database()
    text = up.log.read_text()
    assert [line for line in text.splitlines() if any(secret in line for secret in told.secrets)] == []
    found = lines(up.log)
    assert len(found) > 30
    for line in found:
        assert {"event", "level", "timestamp"} <= line.keys(), line
        logging.getLevelNamesMapping()[line["level"].upper()]
        assert time.strptime(line["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")


async def test_a_request_and_its_stream_are_found_by_their_ids(production: Commands, database: Database) -> None:
    await people(database)
    with production.serving("up", BOARDCAST_DEMO="true", LOG_LEVEL="debug", LOG_FORMAT="json") as up:
        told = People(up, database)
        async with httpx.AsyncClient(base_url=up.api, trust_env=False) as client:
            token = await told.sign_in(client)
            client.headers["Authorization"] = f"Bearer {token}"
            await told.stream(token, client)
    found = lines(up.log)
    (signing_in,) = [line for line in found if line.get("path") == "/api/auth/token"]
    assert (signing_in["request_id"], signing_in["status"]) == (NAME, 200)
    assert [line["trace_id"] for line in found if "trace_id" in line and line["event"] == "request"] == [TRACE] * 2
    for transport, service in (("sse-chunked", "feed"), ("sse", "api"), ("websocket", "feed")):
        (begun,) = [line for line in found if line["event"] == "stream opened" and line["transport"] == transport]
        assert begun["user"] == "ana"
        assert begun["instance"].startswith(service)
        assert begun["request_id"] == NAME or transport == "websocket"
        (stands,) = [
            line for line in found if line["event"] == "auth_success sent" and line["connection"] == begun["connection"]
        ]
        assert (stands["resume"], stands["request_id"]) == ("live", begun["request_id"])
        assert stands["cursor"].count(".") == 5
        ended = [line for line in found if line["event"] == "stream closed"]
        assert begun["connection"] in {line["connection"] for line in ended}
    assert {line["instance"].split("-")[0] for line in found if line["event"] == "following the log"} == {"feed", "api"}
    assert all("instance" in line for line in found if line["event"] == "this instance is the pacer")


async def test_a_name_that_cannot_be_used_is_replaced(production: Commands, database: Database) -> None:
    await people(database)
    with production.serving("up", LOG_LEVEL="debug", LOG_FORMAT="json") as up:
        async with httpx.AsyncClient(trust_env=False) as client:
            for base in (up.feed, up.api):
                for given in ("", "two words", 'x" } {', "x" * 129):
                    answer = await client.get(f"{base}/healthz", headers={"X-Request-ID": given})
                    made = answer.headers["X-Request-ID"]
                    assert made.isalnum(), made
                    assert len(made) == 32
                expecting = await client.get(f"{base}/healthz", headers={"Expect": "miracles"})
                assert expecting.status_code in {200, 417}
                answer = await client.get(f"{base}/nothing-is-here", headers={"X-Request-ID": NAME})
                assert (answer.json()["request_id"], answer.headers["X-Request-ID"]) == (NAME, NAME)


async def test_at_info_nothing_is_logged_of_what_goes_well(production: Commands, database: Database) -> None:
    await people(database)
    with production.serving("up", BOARDCAST_DEMO="true", LOG_FORMAT="json") as up:
        told = People(up, database)
        async with httpx.AsyncClient(base_url=up.api, trust_env=False) as client:
            token = await told.sign_in(client)
            client.headers["Authorization"] = f"Bearer {token}"
            before = len(lines(up.log))
            await told.stream(token, client)
            assert [line["event"] for line in lines(up.log)[before:] if "pacer" not in line["event"]] == []
