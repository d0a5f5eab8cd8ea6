"""One client for all transports: what a test sees does not depend on how it came.

Invariant: what is read is kept, in order and as bytes. `cursor` is the last one given out, by whatever the transport gives
cursors with, so it is what the client would resume from. Nothing is dropped or reordered here: that is what the tests check. What
no service may do on any connection is checked of each (see Client.broken).
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
PATIENCE = 8.0
ASIDE = frozenset({"checkpoint", "heartbeat", "presence_state", "user_editing", "user_stopped_editing", "user_viewing"})
"""Signs of life and who is where: they may come at any place among what the log tells, and are read when asked for."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Message(NamedTuple):
    """`cursor` is what the client stands at once it has it; `raw` is the JSON as it came."""

    type: str
    body: dict[str, Any]
    cursor: str | None
    raw: bytes

    @property
    def seq(self) -> int | None:
        return self.body.get("seq")


class RefusedError(Exception):
    """The stream did not begin: an HTTP status and the body of its problem."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(f"{status} {body!r}")
        self.status = status
        self.headers = headers
        self.problem: dict[str, Any] = json.loads(body) if body else {}


class EndedError(Exception):
    """The stream is over; `code` is the WebSocket close code, None where there is none."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the stream ended ({code})")
        self.code = code


def load(raw: bytes | str) -> Any:
    """JSON with its digits kept."""
    return json.loads(raw, parse_float=Decimal)


class Client(ABC):
    """Reads by itself, into `messages`, until it is paused."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.messages: list[Message] = []
        self.ended: EndedError | None = None
        self.broken: str | None = None
        """What was sent against the protocol: something twice, or a cursor that goes back."""
        self._seqs: set[int] = set()
        self._read = 0
        self._news = asyncio.Event()
        self._reading = asyncio.Event()
        self._reading.set()
        self._pump: asyncio.Task[None] | None = None

    async def next(self, *kinds: str, timeout: float = PATIENCE) -> Message:
        """Read the next message, or the next of these types. Raises EndedError."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    while self._read < len(self.messages):
                        message = self.messages[self._read]
                        self._read += 1
                        assert self.broken is None, self.broken
                        if message.type in kinds or (not kinds and message.type not in ASIDE):
                            return message
                    if self.ended is not None:
                        raise self.ended
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            seen = [m.type for m in self.messages]
            raise AssertionError(f"no {' or '.join(kinds) or 'message'} in {timeout} s; so far {seen}") from None

    async def next_event(self, timeout: float = PATIENCE) -> Message:
        """Read the next message that has a place in the log."""
        while True:
            message = await self.next(timeout=timeout)
            if message.seq is not None:
                return message

    async def collect(self, number: int, timeout: float = PATIENCE) -> list[Message]:
        """Read so many events."""
        return [await self.next_event(timeout) for _ in range(number)]

    async def collect_to(self, seq: int, timeout: float = PATIENCE) -> list[Message]:
        """Read events up to the one with this seq."""
        events = [await self.next_event(timeout)]
        while events[-1].seq != seq:
            events.append(await self.next_event(timeout))
        return events

    async def end(self, timeout: float = PATIENCE) -> EndedError:
        """Wait for the end of the stream."""
        with contextlib.suppress(EndedError):
            while True:
                await self.next(timeout=timeout)
        assert self.ended is not None
        return self.ended

    def pause(self) -> None:
        """Read nothing from now on (but for what is on its way through our own buffers)."""
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()

    @abstractmethod
    def cut(self) -> None:
        """Drop the connection with a reset, as a network does; at once."""

    async def close(self) -> None:
        """Idempotent; complete when it returns."""
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
                self._news.set()
                await self._reading.wait()
        except ConnectionClosed as error:
            code = None if error.rcvd is None else error.rcvd.code
        except (OSError, asyncio.IncompleteReadError):
            pass
        self.ended = EndedError(code)
        self._news.set()

    def _check(self, message: Message) -> None:
        if message.type == "reset":
            self._seqs.clear()
            return
        if message.seq is not None:
            if message.seq in self._seqs:
                self.broken = f"sent twice: {message.raw!r}"
            self._seqs.add(message.seq)
        if message.cursor is not None and self.cursor is not None and message.cursor != self.cursor:
            before, after = Cursor.parse(self.cursor), Cursor.parse(message.cursor)
            if before.feed != after.feed or not after.covers(before):
                self.broken = f"the cursor went back from {self.cursor}: {message.raw!r}"

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
        buffer: int | None = None,
        origin: str | None = None,
    ) -> Self:
        """Connect and send `auth`; `buffer` (bytes) is what the kernel may keep for us unread."""
        client = await cls.knock(port, buffer=buffer, origin=origin)
        auth: dict[str, Any] = {"type": "auth", "token": token, "userId": user}
        if cursor is not None:
            auth["cursor"] = cursor
        if boards is not None:
            auth["boards"] = boards
        with contextlib.suppress(ConnectionClosed):  # refused already: its messages tell why
            await client.send(auth | ({"batch": True} if batch else {}))
        return client

    @classmethod
    async def knock(
        cls, port: int, *, buffer: int | None = None, origin: str | None = None, protocols: list[str] | None = None
    ) -> Self:
        """Connect, and say nothing."""
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
            body = load(data)
            if body["type"] != "batch":
                yield Message(body["type"], body, body.get("cursor"), bytes(data))
                continue
            assert set(body) - {"cursor"} == {"type", "events"}
            for place, event in enumerate(body["events"], 1):
                last = place == len(body["events"])
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
        """Send the request and read its head. Raises RefusedError."""
        sock = await _socket(port, buffer)
        reader, writer = await asyncio.open_connection(sock=sock, limit=4096 if buffer else 1 << 16)
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        status = int(head[0].split()[1])
        got = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        if status != 200:
            body = await reader.readexactly(int(got.get("content-length", 0)))
            writer.close()
            await writer.wait_closed()
            raise RefusedError(status, got, body)
        assert got["transfer-encoding"] == "chunked"
        return cls(reader, writer, got)._begin()

    def cut(self) -> None:
        _reset(self._writer.transport)

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            left = size
            while left:
                data = await self._reader.read(min(left, 1 << 16))
                if not data:
                    raise asyncio.IncompleteReadError(b"", left)
                left -= len(data)
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
        """Take in what stands between two blank lines, as the HTML standard has it."""
        fields: dict[str, bytes] = {}
        for line in block.split(b"\n"):
            name, _, value = line.partition(b":")
            assert name.decode() not in fields, "a field that is there twice"
            fields[name.decode()] = value.removeprefix(b" ")
        if "retry" in fields:
            self.retry = int(fields["retry"])
        cursor = fields["id"].decode() if "id" in fields else None
        if "data" not in fields:
            return None
        body = load(fields["data"])
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
