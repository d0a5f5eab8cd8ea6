"""How much of a client a WebSocket reads at a time on the services' event loop. asyncio's own reads once per turn anyway."""

import asyncio
import socket
from collections import Counter

import uvloop

from feed.http.socket import READ_SIZE, Limits, Socket
from tests.bench.wire import masked

SIZE = 60_000


class Reading(Socket):
    """Counts the bytes of each turn of the loop."""

    turn = 0
    messages = 0

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport, memoryview(bytearray(READ_SIZE)), Limits(READ_SIZE, 60))
        self.read = Counter[int]()
        self.all_read = asyncio.Event()

    def buffer_updated(self, nbytes: int) -> None:
        self.read[self.turn] += nbytes
        super().buffer_updated(nbytes)

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


async def _read() -> Reading:
    """Let a client send four large messages."""
    loop = asyncio.get_running_loop()
    ours, client = socket.socketpair()
    with client:
        client.setblocking(False)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
        transport.pause_reading()
        reading = Reading(transport)
        transport.set_protocol(reading)
        reading.start(b"")
        reading.next_turn()
        await loop.sock_sendall(client, 4 * masked(b"x" * SIZE))
        async with asyncio.timeout(10):
            await reading.all_read.wait()
        transport.abort()
    return reading


def test_a_turn_of_the_loop_reads_a_few_kib_of_a_client() -> None:
    reading = uvloop.run(_read())
    assert sum(reading.read.values()) > 4 * SIZE
    assert max(reading.read.values()) <= 4 * READ_SIZE
