"""A client that talks and never reads: what it is sent is bounded, nobody else waits for it, and it is disconnected."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from feed.delivery.subscription import State
from feed.http.ws import WebSocketConnection
from tests.bench.wire import hello, masked, upgrade
from tests.contract.test_socket import Raw, connected
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.until import until

KIB = 1024
BUDGET = 64 * KIB
DRAIN = 1.5
MOST_SENT = 24 * 1024 * KIB
FRAGMENT = b"\x01\x80\0\0\0\0"
MORE = b"\x00\x80\0\0\0\0"
"""A message that begins with nothing, and goes on with nothing."""
ANSWER = 16 * KIB
"""Larger than any answer to one message here."""


def said(**body: object) -> bytes:
    return masked(json.dumps(body).encode())


def control(opcode: int, size: int) -> bytes:
    return struct.pack("!BB", 0x80 | opcode, 0x80 | size) + bytes(4) + b"x" * size


def gap(board: str) -> bytes:
    state = {"count": 1, "hash": "00000000"}
    return said(type="gap", boardId=board, cursor="x", expected=state, held=state)


TALK: dict[str, Callable[[str], bytes]] = {
    "ping frame": lambda _: control(0x9, 125),
    "ping message": lambda _: said(type="ping"),
    "subscribe": lambda _: said(type="subscribe", boards=[f"none {n}" for n in range(60)]),
    "unsubscribe": lambda _: said(type="unsubscribe", boards=["none"]),
    "checkpoint": lambda _: said(type="checkpoint", boardId="none" * 40),
    "gap": lambda _: gap("none" * 40),
    "renewal": lambda token: said(type="auth", token=token, userId="ana"),
    "user_editing": lambda _: said(type="user_editing", opportunityId="none" * 40),
    "viewing": lambda _: said(type="viewing", boardId="none" * 40),
    "unknown type": lambda _: said(type="x" * 150),
    "invalid message": lambda _: said(type="subscribe", boards=7),
}


class Talker:
    """Sends for as long as the service takes it; never reads."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sent = 0
        self.rest = b""
        """Of a message that was sent in part."""

    async def talk(self, data: bytes, most: int = MOST_SENT) -> None:
        """Send the same again and again, until nothing is taken for half a second, or the connection is cut."""
        clock, many, at = asyncio.get_running_loop().time, data * max(1, 16 * KIB // len(data)), 0
        taken = clock()
        with contextlib.suppress(ConnectionError):
            while self.sent < most and clock() - taken < 0.5:
                try:
                    sent = self.sock.send(memoryview(many)[at:])
                except BlockingIOError:
                    await asyncio.sleep(0.005)
                    continue
                taken, self.sent, at = clock(), self.sent + sent, (at + sent) % len(many)
                await asyncio.sleep(0)
        self.rest = many[at : at + -at % len(data)]

    async def cut(self) -> None:
        """Wait for the service to drop the connection."""

        async def dropped() -> bool:
            try:
                self.sock.send(b"\x8a\x80\0\0\0\0")
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
            return False

        await until(dropped, timeout=10, what="the connection to be cut")


@asynccontextmanager
async def talker(services: Services, opening: bytes = b"") -> AsyncIterator[Talker]:
    port = await services.feed()
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, upgrade(port) + opening)
        yield Talker(sock)


def connections(services: Services) -> set[WebSocketConnection]:
    assert services._feed is not None
    return services._feed._sockets.connections


class Watch:
    """The most that was ever pending for any client, and the longest that the loop stood still."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.pending = 0
        self.queued = 0
        self.stall = 0.0

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            begun = clock()
            await asyncio.sleep(0.002)
            self.stall = max(self.stall, clock() - begun)
            for connection in connections(self._services):
                self.pending = max(self.pending, connection.pending())
                self.queued = max(self.queued, connection._queued_chars + len(connection._unparsed))


@asynccontextmanager
async def watching(services: Services) -> AsyncIterator[Watch]:
    watch = Watch(services)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("kind", TALK)
async def test_one_that_never_reads_is_stopped_and_dropped(serve: Serve, database: Database, kind: str) -> None:
    services = await serve(client_budget=BUDGET, drain_timeout=DRAIN)
    hub = await services.hub("websocket")
    other = await services.open("websocket", user="bruno")
    token = services.token("ana")
    async with talker(services, hello("ana", token)) as hostile, watching(services) as watch:
        await until(lambda: len(hub.connections) == 2)
        talking = asyncio.create_task(hostile.talk(TALK[kind](token)))
        await until(lambda: watch.pending > BUDGET // 2, timeout=15, what="more to be unread than may")
        await database.execute("UPDATE opportunities SET notes = 'meanwhile'")
        event = await other.next_event(2)
        assert event.body["changes"]["notes"] == "meanwhile"
        await talking
        assert hostile.sent < MOST_SENT, "TCP stops it"
        await until(lambda: len(hub.connections) == 1, timeout=DRAIN + 5, what="the drop")
        await hostile.cut()
    assert watch.pending < BUDGET // 2 + ANSWER
    assert watch.queued < 160 * KIB
    assert watch.stall < 0.5
    assert hub.metrics.closed.labels("too_slow")._value.get() == 1
    assert hub.metrics.slow.labels("dropped")._value.get() == 1


async def test_before_a_token_is_shown_it_is_a_few_kib(serve: Serve) -> None:
    services = await serve(drain_timeout=DRAIN)
    hub = await services.hub("websocket")
    async with talker(services) as hostile, watching(services) as watch:
        await hostile.talk(control(0x9, 125))
        assert hostile.sent < MOST_SENT
        await hostile.cut()
        await until(lambda: not connections(services))
    assert 0 < watch.pending < 16 * KIB
    assert watch.stall < 0.5
    assert hub.metrics.closed.labels("too_slow")._value.get() == 1


@pytest.fixture
def deadline(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr("feed.http.ws._AUTH_TIMEOUT", 0.6)
    return 0.6


async def test_pings_do_not_put_off_the_auth_deadline(services: Services, deadline: float) -> None:
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + FRAGMENT)
        await client.upgraded()
        pinging = asyncio.create_task(_every(0.05, lambda: client.writer.write(control(0x9, 1) + MORE)))
        try:
            async with asyncio.timeout(deadline + 3):
                assert await client.closed() == 4408
        finally:
            pinging.cancel()


async def test_one_whose_token_cannot_be_verified_in_time_comes_back_later(
    services: Services, deadline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.tokens, "verify", _never)
    async with connected(services) as client, watching(services) as watch:
        client.writer.write(upgrade(client.port) + hello("ana", services.token("ana")))
        await client.upgraded()
        client.writer.write(200 * said(type="ping", cursor="x" * 4000))
        assert (await client.message("goodbye"))["reason"] == "overloaded"
        assert await client.closed() == 1013
    assert 0 < watch.queued < 160 * KIB


async def test_only_the_newest_ping_is_answered_once_it_reads(serve: Serve) -> None:
    services = await serve(drain_timeout=10)
    async with talker(services) as hostile:
        await hostile.talk(control(0x9, 125))
        (visit,) = connections(services)
        assert not visit.reading
        reader, writer = await asyncio.open_connection(sock=hostile.sock.dup())
        client = Raw(0, reader, writer)
        await client.upgraded()
        writer.write(hostile.rest)
        pongs = asyncio.create_task(_pongs_to(client, b"last"))
        await until(lambda: visit.reading)
        assert await pongs < hostile.sent // 131
        writer.transport.abort()


async def test_queued_messages_are_bounded_by_their_size(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = await services.hub("websocket")
    going = asyncio.Event()
    claim = hub.presence.claim

    async def later(*arguments: object) -> bool:
        await going.wait()
        return await claim(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(hub.presence, "claim", later)
    async with connected(services) as client, watching(services) as watch:
        client.writer.write(upgrade(client.port) + hello("ana", services.token("ana")))
        await client.upgraded()
        await client.message("presence_state")
        client.writer.write(
            said(type="user_editing", opportunityId="o1")
            + 40 * said(type="ping", padding="x" * 60 * KIB)
            + 20_000 * said(type="ping")
        )
        (visit,) = connections(services)
        await until(lambda: not visit.reading)
        going.set()
        for _ in range(20_040):
            await client.message("pong")
        assert visit.reading
    assert watch.queued < 160 * KIB
    assert watch.stall < 0.5


async def test_one_that_talks_and_leaves_little_unread_is_taken_for_dead(serve: Serve, database: Database) -> None:
    services = await serve(heartbeat_interval=0.4, client_budget=8 * KIB * KIB)
    hub = await services.hub("websocket")
    async with talker(services, hello("ana", services.token("ana"))) as hostile:
        await until(lambda: len(hub.connections) == 1)
        (subscription,) = hub.connections
        await until(lambda: subscription.state is State.LIVE)
        talking = asyncio.create_task(_every(0.05, lambda: hostile.sock.send(control(0x9, 1))))
        while not subscription.sink.pending():
            await database.execute("UPDATE opportunities SET notes = md5(random()::text) || repeat('x', 100000)")
            await hub.tailer.wait_for_pass()
            assert subscription.state is State.LIVE
        await until(lambda: not len(hub.connections), timeout=5, what="the drop")
        await asyncio.gather(talking, return_exceptions=True)


async def test_one_that_reads_and_says_only_pongs_stays(serve: Serve) -> None:
    services = await serve(heartbeat_interval=0.3)
    client = await services.open("websocket")
    for _ in range(6):
        await client.next("heartbeat")


async def test_one_that_is_told_to_close_and_goes_on_is_cut(services: Services) -> None:
    async with talker(services, said(type="ping")) as hostile, watching(services) as watch:
        await hostile.talk(control(0x9, 125), 4 * 1024 * KIB)
        await hostile.cut()
        await until(lambda: not connections(services))
    assert watch.pending < 16 * KIB


async def test_tiny_fragments_without_end_end(services: Services) -> None:
    async with connected(services) as client, watching(services) as watch:
        client.writer.write(upgrade(client.port) + hello("ana", services.token("ana")))
        await client.upgraded()
        await client.message("presence_state")
        client.writer.write(FRAGMENT + 70_000 * b"\x00\x81\0\0\0\0x")
        assert await client.closed() == 1009
    assert watch.stall < 0.5


@pytest.mark.parametrize("path", ["/metrics", "/ws", "/sse", "/nothing"])
async def test_requests_in_a_row_whose_answers_are_never_read(services: Services, path: str) -> None:
    port = await services.feed()
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        hostile = Talker(sock)
        await hostile.talk(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert services._feed is not None
        server = services._feed._runner.server
        assert server is not None
        (connection,) = server.connections
        assert connection.transport is not None
        assert 0 < connection.transport.get_write_buffer_size() < 160 * KIB
        assert hostile.sent < MOST_SENT


async def _every(seconds: float, do: Callable[[], object]) -> None:
    while True:
        do()
        await asyncio.sleep(seconds)


async def _never(token: str) -> None:
    await asyncio.Event().wait()


async def _pongs_to(client: Raw, last: bytes) -> int:
    """Read pongs up to this one; how many there were."""
    client.writer.write(b"\x89" + bytes((0x80 | len(last),)) + bytes(4) + last)
    number = 0
    while True:
        opcode, payload = await client.next()
        assert opcode == 0xA
        if payload == last:
            return number
        number += 1
