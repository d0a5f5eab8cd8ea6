"""WebSocket input that arrives in pieces, all at once, or not at all."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from feed.delivery.subscription import Subscription
from feed.http.ws_connection import WebSocketConnection
from feed.router import Router
from tests.bench.wire import frames, hello, masked, upgrade
from tests.support.services import Services
from tests.support.until import until

CLOSE = 0x8
PONG = 0xA


class RawClient:
    """A client that sends arbitrary bytes."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port = port
        self.reader = reader
        self.writer = writer
        self.buffered = b""

    async def wait_for_upgrade(self) -> None:
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")

    async def next_frame(self) -> tuple[int, bytes]:
        async with asyncio.timeout(8):
            while (found := next(frames(self.buffered), None)) is None:
                data = await self.reader.read(65_536)
                if not data:
                    raise EOFError
                self.buffered += data
        opcode, start, end = found
        payload, self.buffered = self.buffered[start:end], self.buffered[end:]
        return opcode, payload

    async def next_message(self, kind: str) -> dict[str, object]:
        while True:
            opcode, payload = await self.next_frame()
            if opcode == 0x1 and (body := json.loads(payload))["type"] == kind:
                found: dict[str, object] = body
                return found

    async def close_code(self) -> int:
        while True:
            opcode, payload = await self.next_frame()
            if opcode == CLOSE:
                return int(struct.unpack("!H", payload[:2])[0])


@asynccontextmanager
async def connected(services: Services) -> AsyncIterator[RawClient]:
    port = await services.feed()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RawClient(port, reader, writer)
    finally:
        writer.transport.abort()


@pytest.fixture
def auth(services: Services) -> bytes:
    return hello("bruno", services.token("bruno"))


def masked_json(**body: object) -> bytes:
    return masked(json.dumps(body).encode())


async def test_messages_sent_with_the_upgrade_request_are_handled(services: Services, auth: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + auth)
        await client.wait_for_upgrade()
        await client.next_message("auth_success")
        client.writer.write(
            masked_json(type="unsubscribe", boards=["b1"]) + masked_json(type="subscribe", boards=["b1"])
        )
        assert (await client.next_message("subscribed"))["boards"] == ["b2"]
        assert (await client.next_message("subscribed"))["boards"] == ["b1", "b2"]


async def test_a_message_may_arrive_byte_by_byte(services: Services, auth: bytes) -> None:
    async with connected(services) as client:
        for byte in upgrade(client.port) + auth + masked_json(type="ping"):
            client.writer.write(bytes((byte,)))
            await client.writer.drain()
        await client.wait_for_upgrade()
        await client.next_message("pong")


async def test_an_upgrade_may_follow_another_request_on_the_same_connection(services: Services, auth: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await client.reader.readuntil(b'{"status": "ok"}')
        client.writer.write(upgrade(client.port) + auth)
        await client.wait_for_upgrade()
        await client.next_message("presence_state")


async def test_a_ping_between_fragments_is_answered(services: Services, auth: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + auth)
        await client.wait_for_upgrade()
        await client.next_message("presence_state")
        body = b'{"type":"ping"}'
        first, second = b"\x01\x85" + bytes(4) + body[:5], b"\x80\x8a" + bytes(4) + body[5:]
        client.writer.write(first + b"\x89\x81\0\0\0\0x" + second)
        assert await client.next_frame() == (PONG, b"x")
        await client.next_message("pong")


async def test_a_thousand_messages_at_once_are_all_handled(services: Services, auth: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + auth + 1000 * masked_json(type="ping"))
        await client.wait_for_upgrade()
        for _ in range(1000):
            await client.next_message("pong")


async def test_an_invalid_frame_closes_with_1002(services: Services, auth: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + auth + b"\xff\xff nonsense")
        await client.wait_for_upgrade()
        assert await client.close_code() == 1002
        with pytest.raises(EOFError):
            await client.next_frame()


async def test_a_client_that_disconnects_without_a_close_is_removed(services: Services, auth: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + auth)
        await client.wait_for_upgrade()
        await client.next_message("presence_state")
        runtime = await services.runtime("websocket")
        assert len(runtime.connections) == 1
    await until(lambda: not len(runtime.connections), what="the client to be removed")


async def test_a_client_that_does_not_answer_a_close_is_dropped(
    services: Services, auth: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.http.socket._CLOSE_TIMEOUT", 0.1)
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + auth + masked_json(type="auth", token="x", userId="bruno"))
        await client.wait_for_upgrade()
        assert await client.close_code() == 4401
        with pytest.raises((EOFError, ConnectionError)):
            await client.next_frame()
        runtime = await services.runtime("websocket")
        await until(lambda: not len(runtime.connections), what="the client to be removed")


async def test_clients_with_many_messages_take_turns(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[str] = []
    route = Router.route

    async def record(router: Router, data: str, subscription: Subscription) -> None:
        handled.append(subscription.principal.user_id)
        await route(router, data, subscription)

    proceed = asyncio.Event()
    drained = WebSocketConnection.drained

    async def wait(connection: WebSocketConnection) -> None:
        await proceed.wait()
        await drained(connection)

    users, number = ("ana", "bruno"), 30
    async with connected(services) as one, connected(services) as other:
        clients = dict(zip(users, (one, other), strict=True))
        for user, client in clients.items():
            client.writer.write(upgrade(client.port) + hello(user, services.token(user)))
            await client.wait_for_upgrade()
            await client.next_message("presence_state")
        monkeypatch.setattr(Router, "route", record)
        monkeypatch.setattr(WebSocketConnection, "drained", wait)
        for client in clients.values():
            client.writer.write(number * masked_json(type="ping"))
        assert services._feed is not None
        connections = services._feed._sockets.connections
        await until(lambda: all(len(each._queue or ()) == number for each in connections))
        proceed.set()
        for client in clients.values():
            for _ in range(number):
                await client.next_message("pong")
    pairs = [set(handled[at : at + 2]) for at in range(0, 2 * number, 2)]
    assert pairs == number * [set(users)]
