"""A proxy that parses frames: it cuts a stream after N messages, between two messages or in the middle of one.

A message is a WebSocket text frame or a server-sent event. Other requests pass through. Streams go to the instances in turn.
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
    """Reset the connection after `after` messages, or (`torn`) close it in the middle of the next message."""

    after: int
    torn: bool


class Resumed(NamedTuple):
    """A stream that a client requested: its cursor, and what `observe` returned at that moment."""

    cursor: str
    observed: object


class CuttingProxy:
    """`feeds` and `apis` are the ports of the instances."""

    def __init__(self, feeds: Sequence[int], apis: Sequence[int], observe: Callable[[], object] = lambda: None) -> None:
        self.open = asyncio.Event()
        """New streams wait until this is set."""
        self.open.set()
        self.plans: dict[str, Cut] = {}
        """By path: how to cut the next stream of this kind."""
        self.resumed: list[Resumed] = []
        self.started = 0
        self.silent = False
        """Whether to forward only pongs, as if the instance had lost its database."""
        self._feeds, self._apis = feeds, apis
        self.observe = observe
        self._streams_opened = 0
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
            # One request per connection: the next one may be a stream.
            head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            await self._relay(ports[0], head, reader, writer)
            return
        if url.path != "/ws":
            header = re.search(rb"(?i)\r\nlast-event-id: *(\S+)", head)
            self._resume(header[1].decode() if header else parse_qs(url.query).get("since", [""])[0])
        await self.open.wait()
        self._streams_opened += 1
        upstream, to_upstream = await asyncio.open_connection(
            "127.0.0.1", ports[self._streams_opened % len(ports)], limit=1 << 20
        )
        pump = asyncio.create_task(self._send(reader, to_upstream, websocket=url.path == "/ws"))
        self._streams.add(writer)
        try:
            to_upstream.write(head)
            await self._forward(url.path, upstream, writer)
        finally:
            self._streams.discard(writer)
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            to_upstream.close()

    async def _relay(self, port: int, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_upstream = await asyncio.open_connection("127.0.0.1", port)
        to_upstream.write(head)
        pump = asyncio.create_task(self._send(reader, to_upstream, websocket=False))
        try:
            while data := await upstream.read(1 << 16):
                writer.write(data)
                await writer.drain()
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            to_upstream.close()

    async def _send(self, reader: asyncio.StreamReader, to_upstream: asyncio.StreamWriter, *, websocket: bool) -> None:
        """Forward what the client sends; record the cursor in a WebSocket's `auth`."""
        if websocket:
            frame, payload = await _client_frame(reader)
            self._resume(str(json.loads(payload).get("cursor") or ""))
            to_upstream.write(frame)
        while data := await reader.read(1 << 16):
            to_upstream.write(data)
        to_upstream.close()

    def _resume(self, cursor: str) -> None:
        self.resumed.append(Resumed(cursor, self.observe()))

    async def _forward(self, path: str, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)  # so that drain() waits until the kernel has all data
        head = await upstream.readuntil(b"\r\n\r\n")
        writer.write(head)
        parts = _frames(upstream) if path == "/ws" else _events(upstream)
        async for part, is_message in parts:
            if self.silent and b'"pong"' not in part:
                continue
            plan = self.plans.get(path)
            if plan is not None and is_message:
                if plan.after == 0:
                    del self.plans[path]
                    await self._cut(writer, part, torn=plan.torn)
                    return
                plan.after -= 1
            writer.write(part)
            await writer.drain()
            if is_message and b"auth_success" in part:
                self.started += 1

    async def _cut(self, writer: asyncio.StreamWriter, part: bytes, *, torn: bool) -> None:
        if not torn:
            _reset(writer)
            return
        writer.write(part[: len(part) // 2])
        await writer.drain()
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() != -1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield the server's frames, and whether each is a message."""
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
    """Read a client's first frame; return it and its payload."""
    start = await reader.readexactly(2)
    more = {126: 2, 127: 8}.get(start[1] & 127, 0)
    extended = await reader.readexactly(more)
    size = int.from_bytes(extended, "big") if more else start[1] & 127
    mask = await reader.readexactly(4)
    masked = await reader.readexactly(size)
    payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
    return start + extended + mask + masked, payload


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield the blocks of an event stream, each as one chunk, and whether each is an event; shorten the retry delay."""
    unread = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        unread += (await reader.readexactly(size + 2))[:-2]
        *blocks, unread = unread.split(b"\n\n")
        for block in blocks:
            text = re.sub(rb"retry: \d+", b"retry: 20", block) + b"\n\n"
            yield b"%x\r\n%b\r\n" % (len(text), text), b"data:" in block
    await reader.readexactly(2)
    yield b"0\r\n\r\n", False
