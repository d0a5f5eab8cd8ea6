"""Each limit: what a client above it gets, and that others stay."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from feed.system.tasks import end
from tests.bench.wire import hello, upgrade
from tests.contract.test_socket import RawClient, masked_json
from tests.hostile.stage import KIB, Attacker, Stage, attacker, sockets
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import RefusedError, WebSocketClient
from tests.support.until import until

TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name ~ '^boardcast'
"""


Connect = Callable[[int], Awaitable[RawClient]]


@pytest.fixture
async def raw() -> AsyncIterator[Connect]:
    """Connect to a port."""
    clients = []

    async def connect(port: int) -> RawClient:
        clients.append(RawClient(port, *await asyncio.open_connection("127.0.0.1", port)))
        return clients[-1]

    yield connect
    for client in clients:
        client.writer.transport.abort()


async def _port(services: Services, service: str) -> int:
    return await (services.feed() if service == "feed" else services.api())


@pytest.mark.parametrize("service", ["feed", "api"])
async def test_of_too_many_silent_connections_the_oldest_is_closed(serve: Serve, service: str, raw: Connect) -> None:
    port = await _port(await serve(max_unauthenticated=3), service)
    clients = [await raw(port) for _ in range(5)]
    for old in clients[:2]:
        answer = await old.reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"/problems/overloaded" in answer
    for new in clients[2:]:
        new.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await new.reader.read()).startswith(b"HTTP/1.1 200 ")


async def test_one_address_cannot_push_out_the_sockets_of_others(serve: Serve, raw: Connect) -> None:
    services = await serve(max_unauthenticated_per_address=2)
    runtime, port = await services.runtime("websocket"), await services.feed()
    clients = []
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.1"):
        client = await raw(port)
        head = upgrade(port).replace(b"\r\n\r\n", f"\r\nX-Forwarded-For: 1.2.3.4, {address}\r\n\r\n".encode())
        client.writer.write(head)
        await client.wait_for_upgrade()
        clients.append(client)
    assert (await clients[0].next_message("goodbye"))["reason"] == "overloaded"
    assert await clients[0].close_code() == 1013
    for client in clients[1:]:
        client.writer.write(hello("ana", services.token("ana")))
        await client.next_message("auth_success")
    assert runtime.metrics.limited.labels("unauthenticated_per_address")._value.get() == 1


@pytest.mark.parametrize("service", ["feed", "api"])
@pytest.mark.parametrize("after", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["first", "second"])
async def test_half_a_request_is_answered_with_a_timeout(
    serve: Serve, service: str, after: bytes, raw: Connect
) -> None:
    client = await raw(await _port(await serve(request_timeout=0.3), service))
    if after:
        client.writer.write(after)
        await client.reader.readuntil(b"ok")
    client.writer.write(b"GET /healthz HTTP/1.1\r\nHost:")
    answer = await client.reader.read()
    assert f"HTTP/1.1 408 {HTTPStatus(408).phrase}".encode() in answer
    assert b"/problems/request-timeout" in answer


HEADS = {
    "many headers": (b"GET / HTTP/1.1\r\n", b"a:b\r\n"),
    "a long header": (b"GET / HTTP/1.1\r\na: ", b"b"),
    "a long address": (b"GET /", b"b"),
    "many trailers": (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"a:b\r\n"),
}


@pytest.mark.parametrize(("begin", "part"), HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("service", ["feed", "api"])
async def test_endless_headers_end_the_connection(
    serve: Serve, service: str, begin: bytes, part: bytes, raw: Connect
) -> None:
    """Although they never end, so that no request arrives."""
    port = await _port(await serve(request_timeout=60), service)
    client = await raw(port)
    client.writer.write(begin)
    endless = 100 * KIB * part

    async def send() -> None:
        while True:
            client.writer.write(endless)
            await client.writer.drain()

    sending = asyncio.create_task(send())
    async with asyncio.timeout(20):
        await asyncio.wait([sending])
    assert isinstance(sending.exception(), ConnectionError)
    new = await raw(port)
    new.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await new.reader.read()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("service", ["feed", "api"])
async def test_too_large_headers_have_a_named_error(serve: Serve, service: str, raw: Connect) -> None:
    """Each has an allowed size, and their number is allowed."""
    client = await raw(await _port(await serve(request_timeout=60), service))
    client.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
    for number in range(10):
        client.writer.write(b"h%d: %s\r\n" % (number, 50 * KIB * b"b"))
    answer = b""
    async with asyncio.timeout(10):
        while b"/problems/headers-too-large" not in answer:
            data = await client.reader.read(4096)
            assert data
            answer += data
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("service", ["feed", "api"])
async def test_a_connection_stays_open_between_requests(serve: Serve, service: str, raw: Connect) -> None:
    client = await raw(await _port(await serve(request_timeout=0.3), service))
    for _ in range(2):
        client.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.reader.readuntil(b'"ok"')
        await asyncio.sleep(0.5)  # longer than a request may take


async def test_a_user_with_too_many_streams_leaves_the_rate_to_others(serve: Serve) -> None:
    services = await serve(max_user_connections=1, connection_rate=1)
    await services.open("websocket")
    for refused in await asyncio.gather(*(services.open("websocket", wait_for_auth=False) for _ in range(20))):
        assert (await refused.next()).body.get("code") == "too_many"
    other = await services.open("websocket", user="bruno", wait_for_auth=False)
    assert (await other.next()).type == "auth_success"


async def test_a_client_may_be_present_in_a_limited_number_of_places(serve: Serve, database: Database) -> None:
    services = await serve(max_leases=2)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b1')")
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    for message in (
        {"type": "viewing", "boardId": "b1"},
        {"type": "user_editing", "opportunityId": "o1"},
        {"type": "user_editing", "opportunityId": "o1", "baseVersion": 1},
    ):
        await client.send(message)
    await client.send({"type": "user_editing", "opportunityId": "o2"})
    assert (await client.next("error")).body["code"] == "too_many_leases"
    await client.send({"type": "user_stopped_editing", "opportunityId": "o1"})
    await client.send({"type": "user_editing", "opportunityId": "o2"})
    while (await client.next("user_editing")).body["opportunityId"] != "o2":
        pass


async def test_requests_of_a_user_claim_a_limited_number_of_places(serve: Serve, database: Database) -> None:
    services = await serve(max_leases=2)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b1')")
    headers = {"Authorization": f"Bearer {services.token()}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{await services.api()}/api", headers=headers) as client:
        for path in ("/boards/b1", "/opportunities/o1", "/opportunities/o1"):
            assert (await client.put(f"{path}/presence", json={"action": "viewing"})).status_code == 204
        refused = await client.put("/opportunities/o2/presence", json={})
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (429, "too-many-leases")
        assert (await client.delete("/boards/b1/presence")).status_code == 204
        assert (await client.put("/opportunities/o2/presence", json={})).status_code == 204


async def test_a_stream_has_a_limited_number_of_boards(serve: Serve, transport: str) -> None:
    services = await serve(max_boards=2)
    await services.open(transport, boards=["b1", "b2"])
    three = ["b1", "b2", "b3"]
    if transport.startswith("websocket"):
        client = await services.open(transport, boards=three, wait_for_auth=False)
        assert (await client.next("auth_error")).body["code"] == "too_many_boards"
        assert (await client.wait_closed()).code == 4400
    else:
        with pytest.raises(RefusedError) as refused:
            await services.open(transport, boards=three)
        assert refused.value.status == 400


@pytest.mark.parametrize("transport", ["websocket", "sse", "api-events"])
async def test_the_number_of_streams_of_a_user_is_exact(serve: Serve, transport: str) -> None:
    services = await serve(max_user_connections=2)
    runtime = await services.runtime(transport)
    opening = [services.open(transport) for _ in range(12)]
    opened = await asyncio.gather(*opening, return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in opened) == 2
    assert runtime.connections.count_for_user("ana") == 2


@pytest.mark.parametrize("transport", ["websocket", "sse", "api-events"])
async def test_presence_that_a_busy_client_missed_is_sent_later(
    serve: Serve, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = await serve()
    runtime = await services.runtime(transport)
    ana = await services.open(transport)
    await ana.next("presence_state")
    (subscription,) = runtime.connections
    with monkeypatch.context() as patch:
        patch.setattr(subscription.sink, "pending", lambda: 10**9)
        bruno = await services.open("websocket", user="bruno")
        assert isinstance(bruno, WebSocketClient)
        await bruno.send({"type": "user_editing", "opportunityId": "o1"})
        await until(lambda: subscription in runtime.presence._owed)
    state = await ana.next("presence_state", "user_editing")
    assert [each["userId"] for each in state.body["presence"]] == ["bruno"]


async def test_too_many_unknown_boards_are_counted(services: Services, raw: Connect) -> None:
    client = await raw(await services.feed())
    client.writer.write(upgrade(client.port) + hello("ana", services.token("ana")))
    await client.wait_for_upgrade()
    client.writer.write(masked_json(type="subscribe", boards=[f"none {n}" for n in range(1000)]))
    for _ in range(10):
        assert str((await client.next_message("error"))["message"]).startswith("there is no board")
    assert str((await client.next_message("error"))["message"]).startswith("990 more")
    assert (await client.next_message("subscribed"))["boards"] == ["b1"]


async def test_without_descriptors_for_clients_the_service_keeps_its_database(stage: Stage) -> None:
    feed = stage.pids[0]
    used = len(os.listdir(Path(f"/proc/{feed}/fd")))  # noqa: PTH208 - the number is all that matters
    limits = resource.prlimit(feed, resource.RLIMIT_NOFILE)
    with ExitStack() as stack, sockets() as opened:
        stack.callback(resource.prlimit, feed, resource.RLIMIT_NOFILE, limits)
        resource.prlimit(feed, resource.RLIMIT_NOFILE, (used + 128 + 10, limits[1]))
        admitted = 0
        while admitted < 100:  # the service may still close connections of other tests
            user, client = f"user {admitted}", await attacker(stage.feed, opened)
            await client.send(upgrade(stage.feed) + hello(user, stage.token(user)))
            reading = asyncio.create_task(client.read())
            await until(partial(_was_answered, client))
            await end(reading)
            if b"overloaded" in client.received:
                break
            admitted += 1
        assert 0 < admitted < 100
        async with httpx.AsyncClient(trust_env=False) as http:

            async def ready() -> bool:
                return (await http.get(f"http://127.0.0.1:{stage.feed}/readyz")).status_code == 200

            assert await ready()
            await stage.database.execute(TERMINATE)
            await until(ready, timeout=10)


def _was_answered(client: Attacker) -> bool:
    return b"overloaded" in client.received or b"auth_success" in client.received
