"""The first steps of a new user: a write in psql arrives on every transport, and a cursor works on all of them."""

import shutil
import subprocess
from itertools import permutations
from typing import Any

import httpx

from db.embedded.binaries import find_binaries
from tests.cli.harness import Commands, Service
from tests.cli.test_up import follow, port_of
from tests.support.streams import Client, EventStreamClient, WebSocketClient

PSQL = shutil.which("psql") or find_binaries() / "psql"
CARD = "Hotel Maré Alta"


def psql(up: Service, statement: str) -> str:
    done = subprocess.run([PSQL, "-qXAt", up.database, "-c", statement], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def move(up: Service, phase: str) -> None:
    psql(up, f"UPDATE opportunities SET phase = '{phase}' WHERE company = '{CARD}'")  # noqa: S608 - constant values


async def resume(up: Service, token: str, transport: str, cursor: str) -> Client:
    bearer = {"Authorization": f"Bearer {token}"}
    if transport == "ws":
        return await WebSocketClient.connect(port_of(up.feed), token, "ana", cursor=cursor)
    if transport == "sse":
        return await EventStreamClient.connect(port_of(up.feed), f"/sse?since={cursor}", headers=bearer)
    return await EventStreamClient.connect(port_of(up.api), "/api/events", headers=bearer | {"Last-Event-ID": cursor})


def sync(up: Service, token: str, since: str) -> dict[str, Any]:
    response = httpx.get(
        f"{up.api}/api/sync/opportunities", params={"since": since}, headers={"Authorization": f"Bearer {token}"}
    )
    body: dict[str, Any] = response.raise_for_status().json()
    return body


async def read_move(client: Client) -> tuple[Any, ...]:
    """Read the next event, a move; return its fields and the cursor that came with it."""
    event = await client.next_event()
    assert event.type == "opportunity_moved"
    assert event.body.get("cursor") == event.cursor
    return event.body["fromPhase"], event.body["toPhase"], event.body["version"], event.seq, event.cursor


async def test_one_write_is_one_event_on_every_transport_and_its_cursor_works_on_all(started_before: Commands) -> None:
    with started_before.serving("up") as up:
        up.database = started_before.output("database")
        token = started_before.output("token", "ana")
        clients = await follow(up, started_before)
        start = clients[0].cursor
        assert start is not None
        move(up, "proposal")
        first = [await read_move(client) for client in clients]
        assert first[0][:3] == ("negotiation", "proposal", 2)
        assert first == [first[0]] * 3
        for client in clients:
            assert [message.type for message in client.messages].count("opportunity_moved") == 1
            await client.close()

        polled = sync(up, token, start)
        assert [card["company"] for card in polled["opportunities"]] == [CARD]
        assert polled["lastSync"] == first[0][-1]

        move(up, "qualification")
        for transport in ("ws", "sse", "events"):
            client = await resume(up, token, transport, polled["lastSync"])
            assert (await client.next("auth_success")).body["resume"] == "resumed"
            second = await read_move(client)
            assert second[:3] == ("proposal", "qualification", 3)
            await client.close()
        assert [card["phase"] for card in sync(up, token, first[0][-1])["opportunities"]] == ["qualification"]
        assert sync(up, token, second[-1])["opportunities"] == []

    with started_before.serving("up") as up:
        up.database = started_before.output("database")
        move(up, "proposal")
        for order in permutations(("ws", "sse", "events")):
            cursor = first[0][-1]
            for transport, phase in zip(order[:2], ("qualification", "proposal"), strict=True):
                client = await resume(up, token, transport, cursor)
                assert (await client.next("auth_success")).body["resume"] == "resumed"
                event = await read_move(client)
                assert event[1] == phase
                await client.close()
                cursor = second[-1]
        assert [card["phase"] for card in sync(up, token, first[0][-1])["opportunities"]] == ["proposal"]
