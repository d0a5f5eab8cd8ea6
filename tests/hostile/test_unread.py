"""A client that sends and never reads: its output is bounded, other clients do not wait for it, and it is disconnected."""

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from feed.delivery.subscription import State
from feed.http.ws_connection import WebSocketConnection
from tests.bench.wire import hello, masked, upgrade
from tests.contract.test_socket import RawClient, connected
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.until import until

KIB = 1024
BUDGET = 64 * KIB
DRAIN_TIMEOUT = 1.5
MUCH = 10**9
"""Messages, where only bytes should count."""
MOST_SENT = 24 * 1024 * KIB
FRAGMENT = b"\x01\x80\0\0\0\0"
MORE = b"\x00\x80\0\0\0\0"
"""An empty first fragment of a message, and an empty continuation."""
MAX_ANSWER = 16 * KIB
"""More than any answer to one of these messages."""


@pytest.fixture
async def services(serve: Serve) -> Services:
    """Not shared: these tests measure what a service holds for their clients."""
    return await serve(message_rate=MUCH, message_burst=MUCH)


def masked_json(**body: object) -> bytes:
    return masked(json.dumps(body).encode())


def control(opcode: int, size: int) -> bytes:
    return struct.pack("!BB", 0x80 | opcode, 0x80 | size) + bytes(4) + b"x" * size


def gap(board: str) -> bytes:
    state = {"count": 1, "hash": "00000000"}
    return masked_json(type="gap", boardId=board, cursor="x", expected=state, held=state)


MESSAGES: dict[str, Callable[[str], bytes]] = {
    "ping frame": lambda _: control(0x9, 125),
    "ping message": lambda _: masked_json(type="ping"),
    "subscribe": lambda _: masked_json(type="subscribe", boards=[f"none {n}" for n in range(60)]),
    "unsubscribe": lambda _: masked_json(type="unsubscribe", boards=["none"]),
    "checkpoint": lambda _: masked_json(type="checkpoint", boardId="none" * 40),
    "gap": lambda _: gap("none" * 40),
    "renewal": lambda token: masked_json(type="auth", token=token, userId="ana"),
    "user_editing": lambda _: masked_json(type="user_editing", opportunityId="none" * 40),
    "viewing": lambda _: masked_json(type="viewing", boardId="none" * 40),
    "unknown type": lambda _: masked_json(type="x" * 150),
    "invalid message": lambda _: masked_json(type="subscribe", boards=7),
}


class HostileClient:
    """Sends as long as the service accepts data, and never reads."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sent = 0
        self.unsent = b""
        """The rest of a message that was sent in part."""

    async def flood(self, data: bytes, most: int = MOST_SENT, *, throttled: Callable[[], bool] = lambda: True) -> None:
        """Send the same data until nothing is accepted a hundred times in a row, or the connection is cut.

        `throttled`: whether the service has a reason to accept nothing. Otherwise, it is only slow.
        """
        chunk, at, refused = data * max(1, 16 * KIB // len(data)), 0, 0
        with contextlib.suppress(ConnectionError):
            while self.sent < most and refused < 100:  # not for a time: the service shares this loop, which may be late
                try:
                    sent = self.sock.send(memoryview(chunk)[at:])
                except BlockingIOError:
                    refused += throttled()
                    await asyncio.sleep(0.005)
                    continue
                refused, self.sent, at = 0, self.sent + sent, (at + sent) % len(chunk)
                await asyncio.sleep(0)
        self.unsent = chunk[at : at + -at % len(data)]

    async def wait_until_cut(self) -> None:
        """Wait until the service drops the connection."""

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
async def hostile_client(services: Services, opening: bytes = b"") -> AsyncIterator[HostileClient]:
    port = await services.feed()
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, upgrade(port) + opening)
        yield HostileClient(sock)


def connections(services: Services) -> set[WebSocketConnection]:
    assert services._feed is not None
    return services._feed._sockets.connections


class Monitor:
    """The largest pending output and input queue of any client, and the most CPU seconds that the event loop spent at once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.pending = 0
        self.queued = 0
        self.stall = 0.0

    async def run(self) -> None:
        # Not by a clock: other processes use the same processors.
        while True:
            started = time.thread_time()
            await asyncio.sleep(0.002)
            self.stall = max(self.stall, time.thread_time() - started)
            for connection in connections(self._services):
                self.pending = max(self.pending, connection.pending())
                waiting = 0 if connection._queue is None else connection._queue._chars
                self.queued = max(self.queued, waiting + len(connection._unparsed))


@asynccontextmanager
async def monitoring(services: Services) -> AsyncIterator[Monitor]:
    monitor = Monitor(services)
    task = asyncio.create_task(monitor.run())
    try:
        yield monitor
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("kind", MESSAGES)
async def test_a_hostile_client_that_never_reads_is_throttled_and_dropped(
    serve: Serve, database: Database, kind: str
) -> None:
    services = await serve(client_budget=BUDGET, drain_timeout=DRAIN_TIMEOUT, message_rate=MUCH, message_burst=MUCH)
    runtime = await services.runtime("websocket")
    other = await services.open("websocket", user="bruno")
    token = services.token("ana")
    async with hostile_client(services, hello("ana", token)) as hostile, monitoring(services) as monitor:
        await until(lambda: len(runtime.connections) == 2)
        sending = asyncio.create_task(
            hostile.flood(MESSAGES[kind](token), throttled=lambda: monitor.pending > BUDGET // 2)
        )
        # Some messages take a query each.
        await until(lambda: monitor.pending > BUDGET // 2, timeout=60, what="the unread output to exceed its limit")
        await database.execute("UPDATE opportunities SET notes = 'meanwhile'")
        event = await other.next_event()
        assert event.body["changes"]["notes"] == "meanwhile"
        await sending
        assert hostile.sent < MOST_SENT, "TCP backpressure stops it"
        await until(lambda: len(runtime.connections) == 1, timeout=DRAIN_TIMEOUT + 5, what="the drop")
        await hostile.wait_until_cut()
    assert monitor.pending < BUDGET // 2 + MAX_ANSWER
    assert monitor.queued < 160 * KIB
    assert monitor.stall < 0.5
    assert runtime.metrics.closed.labels("too_slow")._value.get() == 1
    assert runtime.metrics.slow.labels("dropped")._value.get() == 1


async def test_before_authentication_the_output_is_limited_to_a_few_kib(serve: Serve) -> None:
    services = await serve(drain_timeout=DRAIN_TIMEOUT, message_rate=MUCH, message_burst=MUCH)
    runtime = await services.runtime("websocket")
    async with hostile_client(services) as hostile, monitoring(services) as monitor:
        await hostile.flood(control(0x9, 125))
        assert hostile.sent < MOST_SENT
        await hostile.wait_until_cut()
        await until(lambda: not connections(services))
    assert 0 < monitor.pending < 16 * KIB
    assert monitor.stall < 0.5
    assert runtime.metrics.closed.labels("too_slow")._value.get() == 1


async def test_pings_do_not_postpone_the_auth_deadline(serve: Serve) -> None:
    services, deadline = await serve(request_timeout=0.6), 0.6
    async with connected(services) as client:
        client.writer.write(upgrade(client.port) + FRAGMENT)
        await client.wait_for_upgrade()
        pinging = asyncio.create_task(_every(0.05, lambda: client.writer.write(control(0x9, 1) + MORE)))
        try:
            async with asyncio.timeout(deadline + 3):
                assert await client.close_code() == 4408
        finally:
            pinging.cancel()


async def test_a_client_whose_token_is_not_verified_in_time_is_asked_to_retry(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.http.ws_connection._ADMISSION_TIMEOUT", 0.6)
    monkeypatch.setattr(services.tokens, "verify", _never)
    async with connected(services) as client, monitoring(services) as monitor:
        client.writer.write(upgrade(client.port) + hello("ana", services.token("ana")))
        await client.wait_for_upgrade()
        client.writer.write(200 * masked_json(type="ping", cursor="x" * 4000))
        assert (await client.next_message("goodbye"))["reason"] == "overloaded"
        assert await client.close_code() == 1013
    assert 0 < monitor.queued < 160 * KIB


async def test_only_the_newest_ping_is_answered_once_the_client_reads(serve: Serve) -> None:
    services = await serve(drain_timeout=10, request_timeout=60, message_rate=MUCH, message_burst=MUCH)
    async with hostile_client(services) as hostile:
        await hostile.flood(control(0x9, 125))
        (connection,) = connections(services)
        assert not connection.reading
        reader, writer = await asyncio.open_connection(sock=hostile.sock.dup())
        client = RawClient(0, reader, writer)
        await client.wait_for_upgrade()
        writer.write(hostile.unsent)
        pongs = asyncio.create_task(_pongs_to(client, b"last"))
        await until(lambda: connection.reading)
        assert await pongs < hostile.sent // 131
        writer.transport.abort()


async def test_queued_messages_are_bounded_by_their_size(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = await services.runtime("websocket")
    proceed = asyncio.Event()
    claim = runtime.presence.claim

    async def delayed(*arguments: object) -> bool:
        await proceed.wait()
        return await claim(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runtime.presence, "claim", delayed)
    async with connected(services) as client, monitoring(services) as monitor:
        client.writer.write(upgrade(client.port) + hello("ana", services.token("ana")))
        await client.wait_for_upgrade()
        await client.next_message("presence_state")
        client.writer.write(
            masked_json(type="user_editing", opportunityId="o1")
            + 40 * masked_json(type="ping", padding="x" * 60 * KIB)
            + 20_000 * masked_json(type="ping")
        )
        (connection,) = connections(services)
        await until(lambda: not connection.reading)
        proceed.set()
        for _ in range(20_040):
            await client.next_message("pong")
        assert connection.reading
    assert monitor.queued < 160 * KIB
    assert monitor.stall < 0.5


async def test_a_client_that_sends_but_never_reads_is_dropped_below_the_budget_too(
    serve: Serve, database: Database
) -> None:
    services = await serve(heartbeat_interval=0.4, client_budget=8 * KIB * KIB)
    runtime = await services.runtime("websocket")
    async with hostile_client(services, hello("ana", services.token("ana"))) as hostile:
        await until(lambda: len(runtime.connections) == 1)
        (subscription,) = runtime.connections
        await until(lambda: subscription.state is State.LIVE)
        sending = asyncio.create_task(_every(0.05, lambda: hostile.sock.send(control(0x9, 1))))
        while not subscription.sink.pending():
            await database.execute("UPDATE opportunities SET notes = md5(random()::text) || repeat('x', 100000)")
            await runtime.tailer.wait_for_pass()
            assert subscription.state is State.LIVE
        await until(lambda: not len(runtime.connections), timeout=5, what="the drop")
        await asyncio.gather(sending, return_exceptions=True)


async def test_a_client_that_only_answers_pings_stays(serve: Serve) -> None:
    services = await serve(heartbeat_interval=0.8)
    client = await services.open("websocket")
    for _ in range(4):
        await client.next("heartbeat")


async def test_a_client_that_ignores_the_close_is_cut(services: Services) -> None:
    async with hostile_client(services, masked_json(type="ping")) as hostile, monitoring(services) as monitor:
        await hostile.flood(control(0x9, 125), 4 * 1024 * KIB)
        await hostile.wait_until_cut()
        await until(lambda: not connections(services))
    assert monitor.pending < 16 * KIB


async def test_endless_tiny_fragments_are_rejected(services: Services) -> None:
    async with connected(services) as client, monitoring(services) as monitor:
        client.writer.write(upgrade(client.port) + hello("ana", services.token("ana")))
        await client.wait_for_upgrade()
        await client.next_message("presence_state")
        client.writer.write(FRAGMENT + 70_000 * b"\x00\x81\0\0\0\0x")
        assert await client.close_code() == 1009
    assert monitor.stall < 0.5


@pytest.mark.parametrize("path", ["/metrics", "/ws", "/sse", "/nothing"])
async def test_pipelined_requests_whose_answers_are_never_read_are_throttled(services: Services, path: str) -> None:
    port = await services.feed()
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        hostile = HostileClient(sock)
        await hostile.flood(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert services._feed is not None
        server = services._feed._runner.server
        assert server is not None
        (connection,) = server.connections
        assert connection.transport is not None
        assert 0 < connection.transport.get_write_buffer_size() < 160 * KIB
        assert hostile.sent < MOST_SENT


async def _every(seconds: float, action: Callable[[], object]) -> None:
    while True:
        action()
        await asyncio.sleep(seconds)


async def _never(token: str) -> None:
    await asyncio.Event().wait()


async def _pongs_to(client: RawClient, last: bytes) -> int:
    """Read up to the last pong and return the number of pongs before it."""
    client.writer.write(b"\x89" + bytes((0x80 | len(last),)) + bytes(4) + last)
    number = 0
    while True:
        opcode, payload = await client.next_frame()
        assert opcode == 0xA
        if payload == last:
            return number
        number += 1
