"""Behind each proxy of `deploy`, clients move between two feeds and two APIs without missing events."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from httpx_sse import aconnect_sse

from feed.system.tasks import end
from tests.cli.harness import SECRET
from tests.deploy.follower import ReconnectingClient
from tests.deploy.gateway import HEARTBEAT, Gateway
from tests.support.database import Database
from tests.support.load import Writer, card_version, writing
from tests.support.services import add_people
from tests.support.streams import Client, EventStreamClient, WebSocketClient
from tests.support.until import until

TRANSPORTS = ("websocket", "/sse", "/api/events")
FEED_1, FEED_2, API_1, API_2 = range(4)
"""The indexes of the instances in Gateway."""

pytestmark = pytest.mark.timeout(240)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def live_clients(gateway: Gateway, token: str) -> AsyncIterator[dict[str, Client]]:
    """Open one live client per transport."""
    async with AsyncExitStack() as stack:
        clients: dict[str, Client] = {"websocket": await WebSocketClient.connect(gateway.port, token, "ana")}
        for path in TRANSPORTS[1:]:
            clients[path] = await EventStreamClient.connect(gateway.port, path, headers=bearer(token))
        for client in clients.values():
            stack.push_async_callback(client.close)
            await client.next("auth_success")
        yield clients


async def wait_for_writes(writer: Writer, writes: int) -> None:
    goal = writer.written + writes
    await until(lambda: writer.written >= goal, timeout=20)


async def wait_for_version(follower: ReconnectingClient, last: int) -> None:
    await until(lambda: last in follower.versions.values(), timeout=20, what=follower.transport)


async def test_a_rolling_restart_loses_no_event(gateway: Gateway, database: Database) -> None:
    await add_people(database)
    token = gateway.commands.output("token", "ana")
    followers = [ReconnectingClient(gateway.port, transport, token) for transport in TRANSPORTS for _ in range(3)]
    tasks = [asyncio.create_task(follower.run()) for follower in followers]
    try:
        await until(lambda: all(follower.auth_successes for follower in followers), timeout=20)
        first = await card_version(database)
        async with writing(database, pause=0.02) as writer:
            for number in range(len(gateway.services)):
                await asyncio.to_thread(gateway.restart, number)
                await wait_for_writes(writer, 20)
        last = await card_version(database)
        for follower in followers:
            await wait_for_version(follower, last)
    finally:
        await end(*tasks)
    for follower in followers:
        assert list(follower.versions.values()) == list(range(first + 1, last + 1)), follower.transport
        assert follower.resets == []
        assert follower.refused == []
    assert sum(follower.goodbyes for follower in followers) >= len(followers)


async def test_events_are_not_buffered_by_the_proxy(shared_gateway: Gateway) -> None:
    """On an idle stream no later data would push a heartbeat or a single event out of a buffer."""
    token = shared_gateway.commands.output("token", "ana")
    async with live_clients(shared_gateway, token) as clients:
        for transport, client in clients.items():
            await client.next("heartbeat", timeout=3 * HEARTBEAT)
            began = time.monotonic()
            for _ in range(3):
                await client.next("heartbeat", timeout=3 * HEARTBEAT)
            assert time.monotonic() - began < 5 * HEARTBEAT, transport
        for number in range(3):
            await shared_gateway.database.execute(
                "UPDATE opportunities SET title = %s WHERE id = 'o1'", [f"Title {number}"]
            )
            for client in clients.values():
                event = await client.next_event(timeout=3)
                assert event.body["changes"]["title"] == f"Title {number}"


async def test_a_stopping_instance_finishes_its_requests_and_gets_no_new_ones(
    gateway: Gateway, database: Database
) -> None:
    await add_people(database)
    token = gateway.commands.output("token", "ana")
    async with (
        httpx.AsyncClient(base_url=gateway.url, trust_env=False, headers=bearer(token)) as http,
        await database.connect(autocommit=False) as locker,
    ):
        await locker.execute("SELECT FROM opportunities WHERE id = 'o1' FOR UPDATE")
        writes = [asyncio.create_task(write(http, number)) for number in range(8)]
        await until(lambda: are_waiting(database, len(writes)))
        stopped = gateway.services[API_1].process
        stopped.terminate()
        for _ in range(20):
            assert (await http.get("/api/boards")).status_code == 200
            await asyncio.sleep(0.05)
        assert stopped.poll() is None, "it had no request to finish"
        await locker.rollback()
        assert [response.status_code for response in await asyncio.gather(*writes)] == [200] * len(writes)
    assert await asyncio.to_thread(stopped.wait, 10) == 0


async def write(http: httpx.AsyncClient, number: int) -> httpx.Response:
    return await http.patch("/api/opportunities/o1", json={"notes": f"{number}"}, headers={"If-Match": "*"})


async def are_waiting(database: Database, number: int) -> bool:
    """Return whether this many transactions wait for a lock."""
    rows = await database.execute(
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return len(rows) == number


async def test_a_dead_instance_is_avoided(gateway: Gateway, database: Database) -> None:
    await add_people(database)
    token = gateway.commands.output("token", "ana")
    gateway.kill(FEED_1)
    gateway.kill(API_1)
    async with AsyncExitStack() as stack, httpx.AsyncClient(trust_env=False, headers=bearer(token)) as http:
        for _ in range(6):
            ws = await WebSocketClient.connect(gateway.port, token, "ana")
            sse = await EventStreamClient.connect(gateway.port, "/api/events", headers=bearer(token))
            for client in (ws, sse):
                stack.push_async_callback(client.close)
                assert (await client.next("auth_success")).cursor
            boards = await http.get(f"{gateway.url}/api/boards")
            assert boards.status_code == 200
        await database.execute("UPDATE opportunities SET title = 'Other' WHERE id = 'o1'")
        assert (await ws.next_event()).body["version"] == (await sse.next_event()).body["version"]


async def test_sessions_tickets_and_cursors_work_on_every_instance(gateway: Gateway, database: Database) -> None:
    """A session's cookie, a ticket and a cursor stay valid after the instance that issued them has stopped."""
    await add_people(database)
    token = gateway.commands.output("token", "ana")
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, headers={"Origin": gateway.url}) as http:
        gateway.kill(API_2)
        session = await http.post("/api/auth/session", headers=bearer(token))
        assert session.status_code == 200, session.text
        ticket = (await http.post("/api/events/ticket")).json()["ticket"]
        await asyncio.to_thread(gateway.restart, API_2)
        gateway.kill(API_1)
        assert (await http.get("/api/boards")).status_code == 200
    first = await EventStreamClient.connect(gateway.port, f"/sse?ticket={ticket}")
    cursor = (await first.next("auth_success")).cursor
    await first.close()
    assert cursor is not None
    await database.execute("UPDATE opportunities SET title = 'Other' WHERE id = 'o1'")
    gateway.kill(FEED_1)
    ws = await WebSocketClient.connect(gateway.port, token, "ana", cursor=cursor)
    sse = await EventStreamClient.connect(
        gateway.port, "/api/events", headers=bearer(token) | {"Last-Event-ID": cursor}
    )
    try:
        one, other = await ws.next_event(), await sse.next_event()
        assert (one.seq, one.cursor) == (other.seq, other.cursor)
        assert SECRET not in one.raw.decode()
    finally:
        await ws.close()
        await sse.close()


async def test_pages_are_compressed_streams_are_not_and_internal_paths_are_hidden(shared_gateway: Gateway) -> None:
    token = shared_gateway.commands.output("token", "ana")
    async with httpx.AsyncClient(base_url=shared_gateway.url, trust_env=False) as http:
        page = await http.get("/")
        assert (page.status_code, "text/html" in page.headers["content-type"]) == (200, True)
        assert page.headers["content-encoding"] in {"gzip", "zstd"}
        for path in (
            "/metrics",
            "/readyz",
            "/metric%73",
            "/%72eadyz",
            "/metrics%0a",
            "/METRICS",
            "/x/../metrics",
            "/metrics/",
        ):
            raw = httpx.URL(shared_gateway.url).copy_with(raw_path=path.encode())
            assert (await http.get(raw)).status_code == 404, path
    for path in TRANSPORTS[1:]:
        sse = await EventStreamClient.connect(
            shared_gateway.port, path, headers=bearer(token) | {"Accept-Encoding": "gzip, zstd"}
        )
        try:
            await sse.next("auth_success")
            assert "content-encoding" not in sse.headers
        finally:
            await sse.close()


async def test_entity_tags_still_work(shared_gateway: Gateway) -> None:
    """A proxy that compresses a response changes its entity tag, but If-Match accepts only the API's own."""
    await shared_gateway.database.execute("UPDATE opportunities SET notes = repeat('long ', 1000) WHERE id = 'o1'")
    token = shared_gateway.commands.output("token", "ana")
    async with httpx.AsyncClient(base_url=shared_gateway.url, trust_env=False, headers=bearer(token)) as http:
        card = await http.get("/api/opportunities/o1")
        written = await http.patch(
            "/api/opportunities/o1", json={"title": "New"}, headers={"If-Match": card.headers["ETag"]}
        )
        assert written.status_code == 200, written.text
        again = await http.patch(
            "/api/opportunities/o1", json={"title": "Newer"}, headers={"If-Match": written.headers["ETag"]}
        )
        assert again.status_code == 200, again.text
        board = await http.get("/api/boards/b1")
        assert board.headers["content-encoding"] in {"gzip", "zstd"}
        same = await http.get("/api/boards/b1", headers={"If-None-Match": board.headers["ETag"]})
        assert same.status_code == 304


async def test_long_tokens_and_cursors_get_through(shared_gateway: Gateway) -> None:
    """The longest values that the protocol allows reach the API, which answers."""
    headers = bearer("x" * 8192) | {"Last-Event-ID": "0" * 4096}
    async with httpx.AsyncClient(base_url=shared_gateway.url, trust_env=False, headers=headers) as http:
        response = await http.get("/api/events", params={"since": "0" * 4096})
    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
    assert response.json()["type"] == "/problems/invalid-token"


async def test_the_trigger_log_stream_is_not_buffered(shared_gateway: Gateway) -> None:
    token = shared_gateway.commands.output("token", "ana", "--role", "dba")
    headers = bearer(token) | {"Accept-Encoding": "gzip"}
    async with (
        httpx.AsyncClient(base_url=shared_gateway.url, trust_env=False, headers=headers) as http,
        aconnect_sse(http, "GET", "/api/trigger-log/stream") as source,
    ):
        assert "content-encoding" not in source.response.headers
        events = source.aiter_sse()
        async with asyncio.timeout(10):
            while (await anext(events)).event != "ready":
                pass
            await shared_gateway.database.execute("UPDATE opportunities SET title = title || '.' WHERE id = 'o1'")
            assert (await anext(events)).event == "changes"
