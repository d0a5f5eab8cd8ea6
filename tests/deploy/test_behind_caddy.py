"""Two feeds and two APIs behind the repository's Caddyfile: clients move between them and lose nothing."""

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest
from httpx_sse import aconnect_sse

from feed.system.tasks import end
from tests.cli.harness import SECRET
from tests.deploy.follower import Follower
from tests.deploy.gateway import Gateway
from tests.support.database import Database
from tests.support.load import Load, version, writing
from tests.support.services import people
from tests.support.streams import EventStreamClient, WebSocketClient
from tests.support.until import until

TRANSPORTS = ("websocket", "/sse", "/api/events")


async def more(load: Load, writes: int) -> None:
    goal = load.written + writes
    await until(lambda: load.written >= goal, timeout=20)


async def followed(follower: Follower, last: int) -> None:
    await until(lambda: last in follower.versions.values(), timeout=20, what=follower.transport)


@pytest.mark.timeout(240)
async def test_each_instance_is_restarted_in_turn_and_nobody_loses_anything(
    gateway: Gateway, database: Database
) -> None:
    await people(database)
    token = gateway.commands.output("token", "ana")
    followers = [Follower(gateway.port, transport, token) for transport in TRANSPORTS for _ in range(2)]
    tasks = [asyncio.create_task(follower.run()) for follower in followers]
    try:
        await until(lambda: all(follower.greetings for follower in followers), timeout=20)
        first = await version(database)
        async with writing(database, pause=0.02) as load:
            for number in range(len(gateway.services)):
                await asyncio.to_thread(gateway.restart, number)
                await more(load, 20)
        last = await version(database)
        for follower in followers:
            await followed(follower, last)
    finally:
        await end(*tasks)
    for follower in followers:
        assert list(follower.versions.values()) == list(range(first + 1, last + 1)), follower.transport
        assert follower.resets == []
        assert follower.refused == []
    assert sum(follower.goodbyes for follower in followers) >= len(followers)


async def test_who_is_dead_is_passed_over(gateway: Gateway, database: Database) -> None:
    await people(database)
    token = gateway.commands.output("token", "ana")
    bearer = {"Authorization": f"Bearer {token}"}
    gateway.kill(0)
    gateway.kill(2)
    async with AsyncExitStack() as stack, httpx.AsyncClient(trust_env=False, headers=bearer) as http:
        for _ in range(6):
            ws = await WebSocketClient.connect(gateway.port, token, "ana")
            sse = await EventStreamClient.connect(gateway.port, "/api/events", headers=bearer)
            for client in (ws, sse):
                stack.push_async_callback(client.close)
                assert (await client.next("auth_success")).cursor
            boards = await http.get(f"{gateway.url}/api/boards")
            assert boards.status_code == 200
        await database.execute("UPDATE opportunities SET title = 'Other' WHERE id = 'o1'")
        assert (await ws.next_event()).body["version"] == (await sse.next_event()).body["version"]


async def test_what_one_instance_gave_another_takes(gateway: Gateway, database: Database) -> None:
    """The session's cookie, a ticket, a cursor: whoever signs, keeps or gives them is gone when they are shown."""
    await people(database)
    token = gateway.commands.output("token", "ana")
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, headers={"Origin": gateway.url}) as http:
        gateway.kill(3)
        kept = await http.post("/api/auth/session", headers={"Authorization": f"Bearer {token}"})
        assert kept.status_code == 200, kept.text
        ticket = (await http.post("/api/events/ticket")).json()["ticket"]
        await asyncio.to_thread(gateway.restart, 3)
        gateway.kill(2)
        assert (await http.get("/api/boards")).status_code == 200
    first = await EventStreamClient.connect(gateway.port, f"/sse?ticket={ticket}")
    cursor = (await first.next("auth_success")).cursor
    await first.close()
    assert cursor is not None
    await database.execute("UPDATE opportunities SET title = 'Other' WHERE id = 'o1'")
    gateway.kill(0)
    ws = await WebSocketClient.connect(gateway.port, token, "ana", cursor=cursor)
    sse = await EventStreamClient.connect(
        gateway.port, "/api/events", headers={"Authorization": f"Bearer {token}", "Last-Event-ID": cursor}
    )
    try:
        one, other = await ws.next_event(), await sse.next_event()
        assert (one.seq, one.cursor) == (other.seq, other.cursor)
        assert SECRET not in one.raw.decode()
    finally:
        await ws.close()
        await sse.close()


async def test_the_board_is_served_and_what_is_for_operators_is_not(gateway: Gateway, database: Database) -> None:
    await people(database)
    token = gateway.commands.output("token", "ana")
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        page = await http.get("/")
        assert (page.status_code, "text/html" in page.headers["content-type"]) == (200, True)
        assert page.headers["content-encoding"] in {"gzip", "zstd"}
        for path in ("/metrics", "/readyz"):
            assert (await http.get(path)).status_code == 404
    sse = await EventStreamClient.connect(
        gateway.port, "/sse", headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    )
    try:
        await sse.next("auth_success")
        assert "content-encoding" not in sse.headers
    finally:
        await sse.close()


async def test_the_log_s_stream_is_a_stream_too(gateway: Gateway, database: Database) -> None:
    await people(database)
    token = gateway.commands.output("token", "ana", "--role", "dba")
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    async with (
        httpx.AsyncClient(base_url=gateway.url, trust_env=False, headers=headers) as http,
        aconnect_sse(http, "GET", "/api/trigger-log/stream") as source,
    ):
        assert "content-encoding" not in source.response.headers
        events = source.aiter_sse()
        async with asyncio.timeout(10):
            while (await anext(events)).event != "ready":
                pass
            await database.execute("UPDATE opportunities SET title = 'Other' WHERE id = 'o1'")
            assert (await anext(events)).event == "changes"
