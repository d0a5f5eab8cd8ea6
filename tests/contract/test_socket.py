"""What comes over a WebSocket in pieces, all at once, or not at all."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.bench.wire import frames, hello, masked, upgrade
from tests.support.services import Services
from tests.support.until import until

CLOSE = 0x8
PONG = 0xA


class Raw:
    """A client that says what bytes it likes."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port = port
        self.reader = reader
        self.writer = writer
        self.rest = b""

    async def upgraded(self) -> None:
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")

    async def next(self) -> tuple[int, bytes]:
        async with asyncio.timeout(8):
            while (found := next(frames(self.rest), None)) is None:
                data = await self.reader.read(65_536)
                if not data:
                    raise EOFError
                self.rest += data
        opcode, start, end = found
        payload, self.rest = self.rest[start:end], self.rest[end:]
        return opcode, payload

    async def message(self, kind: str) -> dict[str, object]:
        while True:
            opcode, payload = await self.next()
            if opcode == 0x1 and (body := json.loads(payload))["type"] == kind:
                found: dict[str, object] = body
                return found

    async def closed(self) -> int:
        while True:
            opcode, payload = await self.next()
            if opcode == CLOSE:
                return int(struct.unpack("!H", payload[:2])[0])


@asynccontextmanager
async def connected(services: Services) -> AsyncIterator[Raw]:
    port = await services.feed()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Raw(port, reader, writer)
    finally:
        writer.transport.abort()


@pytest.fixture
def greeting(services: Services) -> bytes:
    return hello("bruno", services.token("bruno"))


def said(**body: object) -> bytes:
    return masked(json.dumps(body).encode())


async def test_what_came_with_the_request_is_heard(services: Services, greeting: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + greeting)
        await client.upgraded()
        await client.message("auth_success")
        client.writer.write(said(type="unsubscribe", boards=["b1"]) + said(type="subscribe", boards=["b1"]))
        assert (await client.message("subscribed"))["boards"] == ["b2"]
        assert (await client.message("subscribed"))["boards"] == ["b1", "b2"]


async def test_a_message_may_come_byte_by_byte(services: Services, greeting: bytes) -> None:
    async with connected(services) as client:
        for byte in upgrade(client.port) + greeting + said(type="ping"):
            client.writer.write(bytes((byte,)))
            await client.writer.drain()
        await client.upgraded()
        await client.message("pong")


async def test_a_request_before_it_on_the_same_connection_changes_nothing(services: Services, greeting: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await client.reader.readuntil(b'{"status": "ok"}')
        client.writer.write(upgrade(client.port) + greeting)
        await client.upgraded()
        await client.message("presence_state")


async def test_fragments_are_one_message_and_a_ping_between_them_is_answered(
    services: Services, greeting: bytes
) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + greeting)
        await client.upgraded()
        await client.message("presence_state")
        body = b'{"type":"ping"}'
        first, second = b"\x01\x85" + bytes(4) + body[:5], b"\x80\x8a" + bytes(4) + body[5:]
        client.writer.write(first + b"\x89\x81\0\0\0\0x" + second)
        assert await client.next() == (PONG, b"x")
        await client.message("pong")


async def test_a_thousand_messages_at_once_are_all_taken(services: Services, greeting: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + greeting + 1000 * said(type="ping"))
        await client.upgraded()
        for _ in range(1000):
            await client.message("pong")


async def test_what_is_no_websocket_is_told_1002(services: Services, greeting: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + greeting + b"\xff\xff nonsense")
        await client.upgraded()
        assert await client.closed() == 1002
        with pytest.raises(EOFError):
            await client.next()


async def test_who_leaves_without_a_word_is_forgotten(services: Services, greeting: bytes) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + greeting)
        await client.upgraded()
        await client.message("presence_state")
        hub = await services.hub("websocket")
        assert len(hub.connections) == 1
    await until(lambda: not len(hub.connections), what="the client to be gone")


async def test_who_does_not_answer_a_close_is_dropped(
    services: Services, greeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.http.socket._CLOSE_TIMEOUT", 0.1)
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + greeting + said(type="auth", token="x", userId="bruno"))
        await client.upgraded()
        assert await client.closed() == 4401
        with pytest.raises((EOFError, ConnectionError)):
            await client.next()
        hub = await services.hub("websocket")
        await until(lambda: not len(hub.connections), what="the client to be gone")
