"""A client that talks and never reads: what it is sent is bounded, nobody else waits for it, and it is disconnected."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from feed.http.ws import Visit
from tests.bench.wire import hello, masked, upgrade
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.until import until

KIB = 1024
BUDGET = 64 * KIB
DRAIN = 1.5
MOST_SENT = 24 * 1024 * KIB
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

    async def talk(self, data: bytes, most: int = MOST_SENT) -> None:
        """Send the same again and again, until nothing is taken for half a second, or the connection is cut."""
        loop, many = asyncio.get_running_loop(), data * max(1, 16 * KIB // len(data))
        with contextlib.suppress(ConnectionError, TimeoutError):
            while self.sent < most:
                async with asyncio.timeout(0.5):
                    await loop.sock_sendall(self.sock, many)
                self.sent += len(many)

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


def visits(services: Services) -> set[Visit]:
    assert services._feed is not None
    return services._feed._sockets.visits


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
            for visit in visits(self._services):
                self.pending = max(self.pending, visit.pending())
                self.queued = max(self.queued, visit._size + len(visit._unparsed))


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
        await until(lambda: not visits(services))
    assert 0 < watch.pending < 16 * KIB
    assert watch.stall < 0.5
    assert hub.metrics.closed.labels("too_slow")._value.get() == 1


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    monkeypatch.setattr("feed.http.ws._TO_AUTHENTICATE", 0.6)
    return iter((0.6,))
