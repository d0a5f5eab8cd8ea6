"""One client interface for all transports, so that a test does not depend on the transport.

Invariant: every message is kept, in order and as bytes. Nothing is dropped or reordered here, because that is what the tests
check. `cursor` is the last cursor received, however the transport carries it: the client would resume from it. Rules that hold
on every connection are checked on each one (see Client.violation).
"""

import asyncio
import contextlib
import json
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, NamedTuple, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from feed.wire.cursor import Cursor

TRANSPORTS = ("websocket", "websocket-batch", "sse", "api-events")
DEFAULT_TIMEOUT = 8.0
UNORDERED_TYPES = frozenset(
    {"checkpoint", "heartbeat", "presence_state", "user_editing", "user_stopped_editing", "user_viewing"}
)
"""Heartbeats, checkpoints and presence may arrive anywhere between events; `next` returns them only if asked for by type."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Message(NamedTuple):
    """`cursor` is the client's cursor after this message; `raw` is the JSON as received."""

    type: str
    body: dict[str, Any]
    cursor: str | None
    raw: bytes

    @property
    def seq(self) -> int | None:
        return self.body.get("seq")


class RefusedError(Exception):
    """The request for a stream was refused with this HTTP status and problem body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(f"{status} {body!r}")
        self.status = status
        self.headers = headers
        self.problem: dict[str, Any] = json.loads(body) if body else {}


class EndedError(Exception):
    """The stream ended; `code` is the WebSocket close code, or None."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the stream ended ({code})")
        self.code = code


def parse_json(raw: bytes | str) -> Any:
    """Parse JSON without losing digits of numbers."""
    return json.loads(raw, parse_float=Decimal)


class Client(ABC):
    """Reads into `messages` in the background until it is paused."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.messages: list[Message] = []
        self.ended: EndedError | None = None
        self.violation: str | None = None
        """The first violation of the protocol: an event sent twice, or a cursor that moves backwards."""
        self._seqs: set[int] = set()
        self._read = 0
        self._updated = asyncio.Event()
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._pump: asyncio.Task[None] | None = None

    async def next(self, *kinds: str, timeout: float = DEFAULT_TIMEOUT) -> Message:
        """Read the next message, or the next of these types. Raises EndedError."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    while self._read < len(self.messages):
                        message = self.messages[self._read]
                        self._read += 1
                        assert self.violation is None, self.violation
                        if message.type in kinds or (not kinds and message.type not in UNORDERED_TYPES):
                            return message
                    if self.ended is not None:
                        raise self.ended
                    self._updated.clear()
                    await self._updated.wait()
        except TimeoutError:
            seen = [m.type for m in self.messages]
            raise AssertionError(f"no {' or '.join(kinds) or 'message'} in {timeout} s; so far {seen}") from None

    async def next_event(self, timeout: float = DEFAULT_TIMEOUT) -> Message:
        """Read the next message that has a seq."""
        while True:
            message = await self.next(timeout=timeout)
            if message.seq is not None:
                return message

    async def collect(self, number: int, timeout: float = DEFAULT_TIMEOUT) -> list[Message]:
        """Read this many events."""
        return [await self.next_event(timeout) for _ in range(number)]

    async def collect_to(self, seq: int, timeout: float = DEFAULT_TIMEOUT) -> list[Message]:
        """Read events up to the one with this seq."""
        events = [await self.next_event(timeout)]
        while events[-1].seq != seq:
            events.append(await self.next_event(timeout))
        return events

    async def wait_closed(self, timeout: float = DEFAULT_TIMEOUT) -> EndedError:
        """Wait for the end of the stream."""
        with contextlib.suppress(EndedError):
            while True:
                await self.next(timeout=timeout)
        assert self.ended is not None
        return self.ended

    def pause(self) -> None:
        """Stop reading, except for data that is already in this process's buffers."""
        self._resumed.clear()

    def resume(self) -> None:
        self._resumed.set()

    @abstractmethod
    def cut(self) -> None:
        """Reset the connection immediately, as a failing network does."""

    async def close(self) -> None:
        """Close the connection and wait until the reader task has ended. Idempotent."""
        if self._pump is not None:
            self.cut()
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    def _begin(self) -> Self:
        self._pump = asyncio.create_task(self._run(), name="client")
        return self

    async def _run(self) -> None:
        code: int | None = None
        try:
            async for message in self._receive():
                self._check(message)
                self.cursor = message.cursor or self.cursor
                self.messages.append(message)
                self._updated.set()
                await self._resumed.wait()
        except ConnectionClosed as error:
            code = None if error.rcvd is None else error.rcvd.code
        except (OSError, asyncio.IncompleteReadError):
            pass
        self.ended = EndedError(code)
        self._updated.set()

    def _check(self, message: Message) -> None:
        if message.type == "reset":
            self._seqs.clear()
            return
        if message.seq is not None:
            if message.seq in self._seqs:
                self.violation = f"sent twice: {message.raw!r}"
            self._seqs.add(message.seq)
        if message.cursor is not None and self.cursor is not None and message.cursor != self.cursor:
            before, after = Cursor.parse(self.cursor), Cursor.parse(message.cursor)
            if before.feed != after.feed or not after.covers(before):
                self.violation = f"the cursor moved backwards from {self.cursor}: {message.raw!r}"

    @abstractmethod
    def _receive(self) -> AsyncIterator[Message]: ...


class WebSocketClient(Client):
    def __init__(self, ws: ClientConnection) -> None:
        super().__init__()
        self.ws = ws

    @classmethod
    async def connect(
        cls,
        port: int,
        token: str,
        user: str,
        *,
        cursor: str | None = None,
        boards: list[str] | None = None,
        batch: bool = False,
        collapse: bool = False,
        buffer: int | None = None,
        origin: str | None = None,
    ) -> Self:
        """Connect and send `auth`; `buffer` is the size of the kernel's receive buffer in bytes."""
        client = await cls.connect_unauthenticated(port, buffer=buffer, origin=origin)
        auth: dict[str, Any] = {"type": "auth", "token": token, "userId": user}
        if cursor is not None:
            auth["cursor"] = cursor
        if boards is not None:
            auth["boards"] = boards
        with contextlib.suppress(ConnectionClosed):  # already refused: the messages received give the reason
            await client.send(auth | ({"batch": True} if batch else {}) | ({"collapse": True} if collapse else {}))
        return client

    @classmethod
    async def connect_unauthenticated(
        cls, port: int, *, buffer: int | None = None, origin: str | None = None, protocols: list[str] | None = None
    ) -> Self:
        """Connect and send nothing."""
        ws = await connect(
            f"ws://127.0.0.1:{port}/ws",
            sock=await _socket(port, buffer),
            compression=None,
            ping_interval=None,
            max_size=None,
            max_queue=1 if buffer else 64,
            close_timeout=2,
            proxy=None,
            additional_headers={"Origin": origin} if origin else None,
            subprotocols=protocols,  # type: ignore[arg-type] # a NewType of str
        )
        return cls(ws)._begin()

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        await self.ws.send(json.dumps(message) if isinstance(message, dict) else message)

    def cut(self) -> None:
        _reset(self.ws.transport)

    async def _receive(self) -> AsyncIterator[Message]:
        while True:
            data = await self.ws.recv(decode=False)
            body = parse_json(data)
            if body["type"] != "batch":
                yield Message(body["type"], body, body.get("cursor"), bytes(data))
                continue
            assert set(body) - {"cursor"} == {"type", "events"}
            for index, event in enumerate(body["events"], 1):
                last = index == len(body["events"])
                yield Message(event["type"], event, body.get("cursor") if last else None, bytes(data))


class EventStreamClient(Client):
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer
        self.headers = headers
        self.retry: int | None = None

    @classmethod
    async def connect(
        cls,
        port: int,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        buffer: int | None = None,
    ) -> Self:
        """Send the request and read the response head. Raises RefusedError."""
        sock = await _socket(port, buffer)
        reader, writer = await asyncio.open_connection(sock=sock, limit=4096 if buffer else 1 << 16)
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        status = int(head[0].split()[1])
        response_headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        if status != 200:
            body = await reader.readexactly(int(response_headers.get("content-length", 0)))
            writer.close()
            await writer.wait_closed()
            raise RefusedError(status, response_headers, body)
        assert response_headers["transfer-encoding"] == "chunked"
        return cls(reader, writer, response_headers)._begin()

    def cut(self) -> None:
        _reset(self._writer.transport)

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            remaining = size
            while remaining:
                data = await self._reader.read(min(remaining, 1 << 16))
                if not data:
                    raise asyncio.IncompleteReadError(b"", remaining)
                remaining -= len(data)
                yield data
            assert await self._reader.readexactly(2) == b"\r\n"
        assert await self._reader.readexactly(2) == b"\r\n"

    async def _receive(self) -> AsyncIterator[Message]:
        unread = b""
        async for data in self._chunks():
            *blocks, unread = (unread + data).split(b"\n\n")
            for block in blocks:
                if (message := self._dispatch(block)) is not None:
                    yield message

    def _dispatch(self, block: bytes) -> Message | None:
        """Parse one event-stream block, as the HTML standard defines it."""
        fields: dict[str, bytes] = {}
        assert block.decode().splitlines() == block.decode().split("\n"), (
            "a reader that splits lines as Unicode breaks it"
        )
        for line in block.split(b"\n"):
            name, _, value = line.partition(b":")
            assert name.decode() not in fields, "a duplicate field"
            fields[name.decode()] = value.removeprefix(b" ")
        if "retry" in fields:
            self.retry = int(fields["retry"])
        cursor = fields["id"].decode() if "id" in fields else None
        if "data" not in fields:
            return None
        body = parse_json(fields["data"])
        assert fields["event"].decode() == body["type"]
        return Message(body["type"], body, cursor, fields["data"])


async def _socket(port: int, buffer: int | None) -> socket.socket:
    sock = socket.socket()
    if buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return sock


def _reset(transport: asyncio.WriteTransport) -> None:
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() != -1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
