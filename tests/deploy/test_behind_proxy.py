"""Two feeds and two APIs behind each of the proxies in `deploy`: clients move between the instances and miss nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from httpx_sse import aconnect_sse

from feed.system.tasks import end
from tests.cli.harness import SECRET
from tests.deploy.follower import Follower
from tests.deploy.gateway import HEARTBEAT, Gateway
from tests.support.database import Database
from tests.support.load import Load, version, writing
from tests.support.services import people
from tests.support.streams import Client, EventStreamClient, WebSocketClient
from tests.support.until import until

TRANSPORTS = ("websocket", "/sse", "/api/events")
FEED_1, FEED_2, API_1, API_2 = range(4)
"""The instances, as Gateway counts them."""

pytestmark = pytest.mark.timeout(240)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def following(gateway: Gateway, token: str) -> AsyncIterator[dict[str, Client]]:
    """One live client for each transport."""
    async with AsyncExitStack() as stack:
        clients: dict[str, Client] = {"websocket": await WebSocketClient.connect(gateway.port, token, "ana")}
        for path in TRANSPORTS[1:]:
            clients[path] = await EventStreamClient.connect(gateway.port, path, headers=bearer(token))
        for client in clients.values():
            stack.push_async_callback(client.close)
            await client.next("auth_success")
        yield clients


async def more(load: Load, writes: int) -> None:
    goal = load.written + writes
    await until(lambda: load.written >= goal, timeout=20)


async def followed(follower: Follower, last: int) -> None:
    await until(lambda: last in follower.versions.values(), timeout=20, what=follower.transport)


async def test_a_rolling_restart_loses_nothing_for_any_client(gateway: Gateway, database: Database) -> None:
    await people(database)
    token = gateway.commands.output("token", "ana")
    followers = [Follower(gateway.port, transport, token) for transport in TRANSPORTS for _ in range(6)]
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


async def test_what_a_service_sends_arrives_at_once(gateway: Gateway, database: Database) -> None:
    """On a quiet stream nothing pushes a heartbeat or a single event out of a buffer."""
    await people(database)
    token = gateway.commands.output("token", "ana")
    async with following(gateway, token) as clients:
        for transport, client in clients.items():
            await client.next("heartbeat", timeout=3 * HEARTBEAT)
            began = time.monotonic()
            for _ in range(3):
                await client.next("heartbeat", timeout=3 * HEARTBEAT)
            assert time.monotonic() - began < 5 * HEARTBEAT, transport
        for place in range(3):
            await database.execute("UPDATE opportunities SET title = %s WHERE id = 'o1'", [f"Title {place}"])
            for client in clients.values():
                event = await client.next_event(timeout=3)
                assert event.body["changes"]["title"] == f"Title {place}"


async def test_an_instance_that_stops_finishes_its_requests_and_gets_no_new_ones(
    gateway: Gateway, database: Database
) -> None:
    await people(database)
    token = gateway.commands.output("token", "ana")
    async with (
        httpx.AsyncClient(base_url=gateway.url, trust_env=False, headers=bearer(token)) as http,
        await database.connect(autocommit=False) as locker,
    ):
        await locker.execute("SELECT FROM opportunities WHERE id = 'o1' FOR UPDATE")
        writes = [asyncio.create_task(write(http, place)) for place in range(8)]
        await until(lambda: waiting(database, len(writes)))
        stopped = gateway.services[API_1].process
        stopped.terminate()
        for _ in range(20):
            assert (await http.get("/api/boards")).status_code == 200
            await asyncio.sleep(0.05)
        assert stopped.poll() is None, "it had no request to finish"
        await locker.rollback()
        assert [answer.status_code for answer in await asyncio.gather(*writes)] == [200] * len(writes)
    assert await asyncio.to_thread(stopped.wait, 10) == 0


async def write(http: httpx.AsyncClient, place: int) -> httpx.Response:
    return await http.patch("/api/opportunities/o1", json={"notes": f"{place}"}, headers={"If-Match": "*"})


async def waiting(database: Database, number: int) -> bool:
    """Whether so many transactions wait for a lock."""
    rows = await database.execute(
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return len(rows) == number


async def test_a_dead_instance_is_avoided(gateway: Gateway, database: Database) -> None:
    await people(database)
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


async def test_what_one_instance_issued_another_accepts(gateway: Gateway, database: Database) -> None:
    """A session's cookie, a ticket, and a cursor are good when the instance that issued them is gone."""
    await people(database)
    token = gateway.commands.output("token", "ana")
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, headers={"Origin": gateway.url}) as http:
        gateway.kill(API_2)
        kept = await http.post("/api/auth/session", headers=bearer(token))
        assert kept.status_code == 200, kept.text
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


async def test_pages_are_compressed_streams_are_not_and_operators_addresses_are_hidden(
    gateway: Gateway, database: Database
) -> None:
    await people(database)
    token = gateway.commands.output("token", "ana")
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        page = await http.get("/")
        assert (page.status_code, "text/html" in page.headers["content-type"]) == (200, True)
        assert page.headers["content-encoding"] in {"gzip", "zstd"}
        for path in ("/metrics", "/readyz"):
            assert (await http.get(path)).status_code == 404
    for path in TRANSPORTS[1:]:
        sse = await EventStreamClient.connect(
            gateway.port, path, headers=bearer(token) | {"Accept-Encoding": "gzip, zstd"}
        )
        try:
            await sse.next("auth_success")
            assert "content-encoding" not in sse.headers
        finally:
            await sse.close()


async def test_entity_tags_still_work(gateway: Gateway, database: Database) -> None:
    """A proxy that compresses an answer changes its entity tag, and If-Match accepts only the API's own."""
    await people(database)
    await database.execute("UPDATE opportunities SET notes = repeat('long ', 1000) WHERE id = 'o1'")
    token = gateway.commands.output("token", "ana")
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, headers=bearer(token)) as http:
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


async def test_long_tokens_and_cursors_get_through(gateway: Gateway, database: Database) -> None:
    """The longest that the protocol allows reach the API: it is the API that answers."""
    headers = bearer("x" * 8192) | {"Last-Event-ID": "0" * 4096}
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, headers=headers) as http:
        answer = await http.get("/api/events", params={"since": "0" * 4096})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.json()["type"] == "/problems/invalid-token"


async def test_the_stream_of_the_log_is_not_held_back_either(gateway: Gateway, database: Database) -> None:
    await people(database)
    token = gateway.commands.output("token", "ana", "--role", "dba")
    headers = bearer(token) | {"Accept-Encoding": "gzip"}
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
