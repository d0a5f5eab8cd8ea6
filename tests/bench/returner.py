"""A client that resumes with a cursor and records the seq of each event.

Invariant: `seqs` has every event in the order of arrival.
"""

import asyncio
import re
import socket
from array import array
from collections.abc import Callable, Sequence
from typing import cast

from tests.bench.wire import PING, PONG, frames, hello, upgrade
from tests.support.until import until

_SEQ = re.compile(rb'"seq":(\d+)')
_CURSOR = re.compile(rb'"cursor":"([^"]+)"')
_LIVE = b'"type":"presence_state"'


class Returner(asyncio.Protocol):
    """`on_frames`, if given, is called with the bytes of complete frames."""

    def __init__(self, port: int, auth_frame: bytes, on_frames: Callable[[bytes], None] | None = None) -> None:
        self._port = port
        self._auth_frame = auth_frame
        self._on_frames = on_frames
        self._buffer = b""
        self._upgraded = False
        self._transport: asyncio.Transport | None = None
        self.seqs = array("q")
        self.cursor = ""
        self.live = asyncio.get_running_loop().create_future()
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, but not by its class
        self._transport.write(upgrade(self._port))

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        if not self._upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            self._upgraded = True
            self._send(self._auth_frame)
        complete = 0
        for opcode, _, end_of_frame in frames(data):
            complete = end_of_frame
            if opcode == PING:
                self._send(PONG)
        self._buffer = data[complete:]
        if complete:
            self._receive(data[:complete])

    def _receive(self, data: bytes) -> None:
        self.seqs.extend(map(int, _SEQ.findall(data)))
        if found := _CURSOR.findall(data):
            self.cursor = found[-1].decode()
        if self._on_frames is not None:
            self._on_frames(data)
        if not self.live.done() and _LIVE in data:
            self.live.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.ended.set_result(None)
        if not self.live.done():
            self.live.set_exception(error or ConnectionError("closed before it was live"))
            self.live.exception()

    def stop_reading(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def connect_returner(
    port: int,
    person: tuple[str, str],
    *,
    on_frames: Callable[[bytes], None] | None = None,
    buffer: int | None = None,
    **options: object,
) -> Returner:
    """Connect without waiting for messages; `buffer` is the size of the kernel's receive buffer in bytes."""
    sock = socket.socket()
    if buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(sock, ("127.0.0.1", port))
    except BaseException:
        sock.close()
        raise
    user, token = person
    auth_frame = hello(user, token, **options)
    _, client = await loop.create_connection(lambda: Returner(port, auth_frame, on_frames), sock=sock)
    return client


async def wait_for_events(client: Returner, count: int, patience: float = 20.0) -> None:
    """Wait until the client has received this many events."""
    await until(lambda: len(client.seqs) >= count, timeout=patience, what=f"{count} events")


def check_each_once(clients: Sequence[tuple[Returner, Sequence[int]]]) -> None:
    """Raise RuntimeError unless each client received exactly these events, each once and in this order."""
    wrong = [(client, seqs) for client, seqs in clients if list(client.seqs) != list(seqs)]
    if wrong:
        client, seqs = wrong[0]
        lost, foreign = len(set(seqs) - set(client.seqs)), len(set(client.seqs) - set(seqs))
        raise RuntimeError(
            f"{len(wrong)} of {len(clients)} clients did not get each event once; the first got {len(client.seqs)} of "
            f"{len(seqs)}: {lost} lost, {foreign} of others, {len(client.seqs) - len(set(client.seqs))} twice"
        )
