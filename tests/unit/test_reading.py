"""How much of a client a WebSocket reads at a time on the services' event loop. asyncio's own reads once per turn anyway."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from feed.http.socket import READ_SIZE, Limits, Socket
from feed.wire.close_codes import TOO_FAST
from tests.bench.wire import masked
from tests.support.until import until

SIZE = 60_000


class Reading(Socket):
    """Counts the bytes of each turn of the loop."""

    turn = 0
    messages = 0

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport, memoryview(bytearray(READ_SIZE)), Limits(READ_SIZE, 60))
        self.transport = transport
        self.parsed = Counter[int]()
        self.all_read = asyncio.Event()

    def _parse(self, data: bytes) -> None:
        self.parsed[self.turn] += len(data)
        super()._parse(data)

    def on_message(self, text: str | None) -> None:
        assert text is not None
        assert len(text) == SIZE
        self.messages += 1
        if self.messages == 4:
            self.all_read.set()

    def on_drain_timeout(self) -> None:
        raise AssertionError

    def on_disconnect(self) -> None:
        pass

    def next_turn(self) -> None:
        self.turn += 1
        asyncio.get_running_loop().call_soon(self.next_turn)


@asynccontextmanager
async def reading_from_a_client() -> AsyncIterator[tuple[Reading, socket.socket]]:
    ours, client = socket.socketpair()
    with client:
        client.setblocking(False)
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, ours)
        transport.pause_reading()
        reading = Reading(transport)
        transport.set_protocol(reading)
        reading.next_turn()
        try:
            yield reading, client
        finally:
            transport.abort()


def test_a_turn_of_the_loop_reads_a_few_kib_of_a_client() -> None:
    async def run(*, early: bool) -> Reading:
        async with reading_from_a_client() as (reading, client), asyncio.timeout(10):
            messages = 4 * masked(b"x" * SIZE)
            reading.start(messages if early else b"")
            if not early:
                await asyncio.get_running_loop().sock_sendall(client, messages)
            await reading.all_read.wait()
            return reading

    for early in (False, True):  # early: with the handshake
        reading = uvloop.run(run(early=early))
        assert sum(reading.parsed.values()) > 4 * SIZE
        assert max(reading.parsed.values()) <= 4 * READ_SIZE


def test_little_is_read_after_a_close_frame_was_sent() -> None:
    async def run() -> Reading:
        async with reading_from_a_client() as (reading, client):
            reading.start(b"")
            reading.close(TOO_FAST, b"")
            sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(client, 40 * masked(b"x" * SIZE)))
            await until(lambda: not reading.transport.is_reading() and not reading._turn_over, what="reading to stop")
            sending.cancel()
            return reading

    assert 0 < sum(uvloop.run(run()).parsed.values()) <= 4 * READ_SIZE
