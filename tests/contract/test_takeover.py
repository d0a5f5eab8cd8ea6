"""What feed/http/takeover.py uses of aiohttp without its documentation: `_message_tail`, `transport`, `connection_lost`.

One of these fails when a version of aiohttp changes them.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from feed.http.socket import Limits, Socket
from feed.http.takeover import early_bytes, take_over
from tests.bench.wire import frames, masked, upgrade
from tests.support.until import until


class Echo(Socket):
    def on_message(self, text: str | None) -> None:
        self.write(b"\x81" + bytes((len(text or ""),)) + (text or "").encode())

    def on_drain_timeout(self) -> None:
        raise AssertionError

    def on_disconnect(self) -> None:
        pass


class Server:
    def __init__(self) -> None:
        self.port = 0
        self.delay = asyncio.Event()
        """The handshake waits for it."""
        self.requested = asyncio.Event()
        self.tasks: list[asyncio.Task[object]] = []
        self.sockets: list[Echo] = []
        self.open: list[RequestHandler] = []
        """What aiohttp takes for its connections."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self.requested.set()
        self.tasks.append(task)
        await self.delay.wait()
        early = early_bytes(request)
        await web.WebSocketResponse().prepare(request)
        assert request.transport is not None
        socket = Echo(request.transport, memoryview(bytearray(1024)), Limits(65_536, 9))
        self.sockets.append(socket)
        take_over(request, early, socket, request.transport)
        raise asyncio.CancelledError


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    served = Server()
    served.delay.set()
    app = web.Application()
    app.router.add_get("/ws", served.handle)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.port = runner.addresses[0][1]
    assert runner.server is not None
    served.open = runner.server.connections
    try:
        yield served
    finally:
        for socket in served.sockets:
            socket.abort()
        await asyncio.sleep(0)
        await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as served:
        yield served


async def received_texts(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    """The texts that come after the handshake."""
    data = b""
    async with asyncio.timeout(5):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        while len(found := [data[start:end] for _, start, end in frames(data)]) < count:
            more = await reader.read(65_536)
            assert more, "the connection has ended"
            data += more
    return found


async def test_each_byte_before_and_after_the_handshake_reaches_the_socket(server: Server) -> None:
    server.delay.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(upgrade(server.port) + masked(b"with the request") + masked(b"in parts")[:3])
    await server.requested.wait()
    writer.write(masked(b"in parts")[3:] + masked(b"before the response"))
    await asyncio.sleep(0.05)
    server.delay.set()
    writer.write(masked(b"after it"))
    assert await received_texts(reader, 4) == [b"with the request", b"in parts", b"before the response", b"after it"]
    writer.close()


async def test_more_early_bytes_than_aiohttp_reads(server: Server) -> None:
    server.delay.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    messages = [b"%0120d" % n for n in range(4000)]
    writer.write(upgrade(server.port) + b"".join(masked(message) for message in messages))
    await server.requested.wait()
    await asyncio.sleep(0.05)  # aiohttp stops reading
    server.delay.set()
    assert await received_texts(reader, len(messages)) == messages
    writer.close()


def kept() -> int:
    gc.collect()
    return sum(isinstance(found, (RequestHandler, web.BaseRequest)) for found in gc.get_objects())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_nothing_is_kept_of_aiohttp(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def take() -> None:
        async with serving() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(upgrade(server.port) + masked(b"hello"))
            assert await received_texts(reader, 1) == [b"hello"]
            await until(server.tasks.pop().done)
            assert server.open == []
            await until(lambda: kept() <= others, timeout=10, what="what belongs to aiohttp to be gone")
            writer.close()
            await writer.wait_closed()

    others = kept()
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(take())


async def test_a_client_that_left_during_the_handshake(server: Server) -> None:
    server.delay.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(upgrade(server.port) + masked(b"hello"))
    await server.requested.wait()
    writer.transport.abort()
    server.delay.set()
    (task,) = server.tasks
    await until(task.done)
    await until(lambda: not server.open)
