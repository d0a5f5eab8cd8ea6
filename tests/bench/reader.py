"""A client with little overhead, so that a hundred of them measure the server and not themselves.

Invariant: the time of arrival is taken before any data is parsed, also that of other clients; parsing happens shortly after.
Clients of one board mostly receive the same bytes, so results of parsing are cached.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Sequence
from typing import cast

from tests.bench.dialect import Dialect, boardcast
from tests.bench.wire import PING, PONG, frames

_MARK = re.compile(rb'"company": ?"(\d+)"')
_CACHED = 4096
_AT_ONCE = 50
_TO_CONNECT = 60.0
_DELAY = 0.002
"""Seconds after which received data is parsed."""

Marks = tuple[int, ...]


class Readings:
    """Parses received bytes and caches the results for all clients."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._cache: dict[bytes, tuple[Marks, bytes, int]] = {}
        self._pending: list[tuple[Reader, int, bytes]] = []
        self._loop = asyncio.get_running_loop()

    def schedule(self, reader: "Reader", at: int, data: bytes) -> None:
        """Let a reader parse this data soon."""
        if not self._pending:
            self._loop.call_later(_DELAY, self._process_pending)
        self._pending.append((reader, at, data))

    def _process_pending(self) -> None:
        pending, self._pending = self._pending, []
        for reader, at, data in pending:
            reader.read(at, data)

    def of(self, data: bytes) -> tuple[Marks, bytes, int]:
        """Return the marks of the writes, the reply to send, and the length of the complete frames."""
        if (parsed := self._cache.get(data)) is not None:
            return parsed
        parsed = self._stream(data) if self._dialect.stream else self._frames(data)
        if len(self._cache) >= _CACHED:
            self._cache.clear()
        self._cache[data] = parsed
        return parsed

    def _frames(self, data: bytes) -> tuple[Marks, bytes, int]:
        reply, complete = b"", 0
        for opcode, start, end in frames(data):
            if opcode == PING:
                reply = PONG
            elif end - start == 1 and data[start:end] == self._dialect.ping:
                reply = self._dialect.pong
            complete = end
        return _marks(data, complete), reply, complete

    @staticmethod
    def _stream(data: bytes) -> tuple[Marks, bytes, int]:
        complete = data.rfind(b"\n\n") + 2 if b"\n\n" in data else 0
        return _marks(data, complete), b"", complete


class Reader(asyncio.Protocol):
    """`got` has the received events as (time of arrival in ns, marks of the writes)."""

    def __init__(self, port: int, dialect: Dialect, readings: Readings) -> None:
        self._port = port
        self._dialect = dialect
        self._readings = readings
        self._buffer = b""
        self._upgraded = False
        self._transport: asyncio.WriteTransport | None = None
        self.got: list[tuple[int, Marks]] = []
        self.live = asyncio.get_running_loop().create_future()
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one, but not by its class
        self._transport.write(self._dialect.request(self._port))

    def data_received(self, data: bytes) -> None:
        self._readings.schedule(self, time.monotonic_ns(), data)

    def read(self, at: int, data: bytes) -> None:
        """Parse data that arrived at that time."""
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if not self._upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            self._upgraded = True
            self._write(self._dialect.hello)
        if not data:
            return
        marks, reply, complete = self._readings.of(data)
        if not self.live.done() and self._dialect.live in data:
            self.live.set_result(None)
        if complete < len(data):
            self._buffer = data[complete:]
        self._write(reply)
        if marks:
            self.got.append((at, marks))

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.live.done():
            self.live.set_exception(error or ConnectionError("closed before it was live"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None:
            self._transport.write(data)


async def connect(port: int, users: Iterable[tuple[str, str]]) -> list[Reader]:
    """Connect live clients of boardcast, one for each (user, token)."""
    return await connect_as(port, [boardcast(user, token) for user, token in users])


async def connect_as(port: int, dialects: Sequence[Dialect]) -> list[Reader]:
    """Connect a live client for each dialect."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(_AT_ONCE)
    readings = Readings(dialects[0])

    async def one(dialect: Dialect) -> Reader:
        async with gate:
            _, reader = await loop.create_connection(lambda: Reader(port, dialect, readings), "127.0.0.1", port)
            await reader.live
            return reader

    async with asyncio.timeout(_TO_CONNECT), asyncio.TaskGroup() as group:
        connecting = [group.create_task(one(dialect), name="connect") for dialect in dialects]
    return [task.result() for task in connecting]


def _marks(data: bytes, complete: int) -> Marks:
    return tuple(int(found[1]) for found in _MARK.finditer(data, 0, complete))
