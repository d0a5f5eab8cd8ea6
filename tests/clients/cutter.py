"""A proxy that knows frames: it cuts a stream after so many of its messages, cleanly or in the middle of the next one.

A message is a WebSocket's text frame or a server-sent event; what is not a stream passes through. The streams of a client go to the
instances in turn.
"""

import asyncio
import json
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Cut:
    """After `after` messages: reset the connection there, or (`torn`) end it in the middle of the next message."""

    after: int
    torn: bool


class Resumed(NamedTuple):
    """A stream that a client has asked for: from which cursor, and what `note` gave at that moment."""

    cursor: str
    noted: object


class Cutter:
    """`feeds` and `apis` are the instances' ports."""

    def __init__(self, feeds: Sequence[int], apis: Sequence[int], note: Callable[[], object] = lambda: None) -> None:
        self.open = asyncio.Event()
        """While it is not set, new streams wait."""
        self.open.set()
        self.plans: dict[str, Cut] = {}
        """Of the next message of a kind of stream (its path) on, on whatever connection: that one cut."""
        self.resumed: list[Resumed] = []
        self.begun = 0
        self.silent = False
        """Whether nothing comes but pongs, as from an instance that has lost its database."""
        self._feeds, self._apis = feeds, apis
        self.note = note
        self._turn = 0
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.address = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 20)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_all(self) -> None:
        """Reset every stream."""
        for writer in list(self._streams):
            _reset(writer)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        url = urlsplit(head.split(b" ", 2)[1].decode())
        ports = self._apis if url.path.startswith("/api") else self._feeds
        if url.path not in {"/ws", "/sse", "/api/events"}:
            # One request a connection: the next one may be a stream.
            head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            await self._relay(ports[0], head, reader, writer)
            return
        if url.path != "/ws":
            given = re.search(rb"(?i)\r\nlast-event-id: *(\S+)", head)
            self._resume(given[1].decode() if given else parse_qs(url.query).get("since", [""])[0])
        await self.open.wait()
        self._turn += 1
        there, back = await asyncio.open_connection("127.0.0.1", ports[self._turn % len(ports)], limit=1 << 20)
        pump = asyncio.create_task(self._send(reader, back, websocket=url.path == "/ws"))
        self._streams.add(writer)
        try:
            back.write(head)
            await self._pass(url.path, there, writer)
        finally:
            self._streams.discard(writer)
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            back.close()

    async def _relay(self, port: int, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        back.write(head)
        pump = asyncio.create_task(self._send(reader, back, websocket=False))
        try:
            while data := await there.read(1 << 16):
                writer.write(data)
                await writer.drain()
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            back.close()

    async def _send(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, *, websocket: bool) -> None:
        """What the client says; of a WebSocket's `auth` the cursor is noted."""
        if websocket:
            frame, payload = await _client_frame(reader)
            self._resume(str(json.loads(payload).get("cursor") or ""))
            back.write(frame)
        while data := await reader.read(1 << 16):
            back.write(data)
        back.close()

    def _resume(self, cursor: str) -> None:
        self.resumed.append(Resumed(cursor, self.note()))

    async def _pass(self, path: str, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)  # drained: the kernel has it, and so has the client
        head = await there.readuntil(b"\r\n\r\n")
        writer.write(head)
        units = _frames(there) if path == "/ws" else _events(there)
        async for unit, counts in units:
            if self.silent and b'"pong"' not in unit:
                continue
            plan = self.plans.get(path)
            if plan is not None and counts:
                if plan.after == 0:
                    del self.plans[path]
                    await self._cut(writer, unit, torn=plan.torn)
                    return
                plan.after -= 1
            writer.write(unit)
            await writer.drain()
            if counts and b"auth_success" in unit:
                self.begun += 1

    async def _cut(self, writer: asyncio.StreamWriter, unit: bytes, *, torn: bool) -> None:
        if not torn:
            _reset(writer)
            return
        writer.write(unit[: len(unit) // 2])
        await writer.drain()
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() != -1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """A server's frames, and whether each is a message."""
    while True:
        try:
            start = await reader.readexactly(2)
        except asyncio.IncompleteReadError:
            return
        more = {126: 2, 127: 8}.get(start[1], 0)
        extended = await reader.readexactly(more)
        size = int.from_bytes(extended, "big") if more else start[1]
        yield start + extended + await reader.readexactly(size), start[0] & 15 == 1


async def _client_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """A client's first frame, and what it says."""
    start = await reader.readexactly(2)
    more = {126: 2, 127: 8}.get(start[1] & 127, 0)
    extended = await reader.readexactly(more)
    size = int.from_bytes(extended, "big") if more else start[1] & 127
    mask = await reader.readexactly(4)
    masked = await reader.readexactly(size)
    payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))
    return start + extended + mask + masked, payload


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """An event stream's blocks, each in a chunk of its own, and whether each is an event. Reconnecting is not to take long."""
    unread = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        unread += (await reader.readexactly(size + 2))[:-2]
        *blocks, unread = unread.split(b"\n\n")
        for block in blocks:
            whole = re.sub(rb"retry: \d+", b"retry: 20", block) + b"\n\n"
            yield b"%x\r\n%b\r\n" % (len(whole), whole), b"data:" in block
    await reader.readexactly(2)
    yield b"0\r\n\r\n", False
