"""A client that costs next to nothing, so that a hundred of them measure what they watch and not themselves.

Invariant: the time of arrival is taken before anything is parsed, be it another client's: what has come is looked at in a quiet
moment soon after. Clients of one board are mostly written the same bytes, so what was found in them once is looked up for others.
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
_SOON = 0.002
"""Seconds after which what has come is looked at."""

Marks = tuple[int, ...]


class Readings:
    """What is in the bytes that several clients get."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: dict[bytes, tuple[Marks, bytes, int]] = {}
        self._come: list[tuple[Reader, int, bytes]] = []
        self._loop = asyncio.get_running_loop()

    def come(self, reader: "Reader", at: int, data: bytes) -> None:
        """Have a reader look at this soon."""
        if not self._come:
            self._loop.call_later(_SOON, self._look)
        self._come.append((reader, at, data))

    def _look(self) -> None:
        come, self._come = self._come, []
        for reader, at, data in come:
            reader.read(at, data)

    def of(self, data: bytes) -> tuple[Marks, bytes, int]:
        """The marks of the writes that are told, what is to be answered, and how much of the data was whole."""
        if (known := self._known.get(data)) is not None:
            return known
        known = self._stream(data) if self._dialect.stream else self._frames(data)
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[data] = known
        return known

    def _frames(self, data: bytes) -> tuple[Marks, bytes, int]:
        answer, whole = b"", 0
        for opcode, start, end in frames(data):
            if opcode == PING:
                answer = PONG
            elif end - start == 1 and data[start:end] == self._dialect.ping:
                answer = self._dialect.pong
            whole = end
        return _marks(data, whole), answer, whole

    @staticmethod
    def _stream(data: bytes) -> tuple[Marks, bytes, int]:
        whole = data.rfind(b"\n\n") + 2 if b"\n\n" in data else 0
        return _marks(data, whole), b"", whole


class Reader(asyncio.Protocol):
    """`got` is what has come: (time of arrival in ns, marks of the writes told)."""

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
        self._readings.come(self, time.monotonic_ns(), data)

    def read(self, at: int, data: bytes) -> None:
        """What came at that time."""
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
        marks, answer, whole = self._readings.of(data)
        if not self.live.done() and self._dialect.live in data:
            self.live.set_result(None)
        if whole < len(data):
            self._buffer = data[whole:]
        self._write(answer)
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


async def connect(port: int, people: Iterable[tuple[str, str]]) -> list[Reader]:
    """Clients of boardcast, all live, each another person's (user, token)."""
    return await connect_as(port, [boardcast(user, token) for user, token in people])


async def connect_as(port: int, dialects: Sequence[Dialect]) -> list[Reader]:
    """A client that is live for each."""
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


def _marks(data: bytes, whole: int) -> Marks:
    return tuple(int(found[1]) for found in _MARK.finditer(data, 0, whole))
