"""One WebSocket after its handshake: the protocol of its transport, and the sink of its client.

Invariant: an idle connection costs this object and a parser: no task, no request, no buffer. A client's messages are read only
while at most `mark` bytes wait to be read by it. Above that the transport stops reading, so TCP stops a client that talks and never
reads. A client that stays above it for the whole drain timeout is `stuck`. However a connection ends, `left` is called, once. A
client that does not answer a close in time is dropped, with all its unread bytes.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

from feed.wire.close_codes import CloseReason
from feed.wire.encoding import frame

_LARGEST = 64 * 1024
_TO_CLOSE = 2.0
_READ = 8 * 1024
"""Bytes parsed at a time. What one read can make the service say and queue is bounded by it, and so is what a stopped client leaves
unparsed here: the rest waits in the kernel."""


class Limits(NamedTuple):
    """`mark`: unread bytes above which a client is not read from; `patience`: seconds that it may stay above."""

    mark: int
    patience: float


class Socket(asyncio.BufferedProtocol):
    __slots__ = (
        "_buffer",
        "_busy",
        "_drained",
        "_dropping",
        "_full",
        "_gone",
        "_limits",
        "_overdue",
        "_parser",
        "_ping",
        "_transport",
        "_unparsed",
        "abort",
        "pending",
        "write",
    )

    def __init__(self, transport: asyncio.Transport, buffer: memoryview, limits: Limits) -> None:
        """`buffer` is what bytes are read into. All sockets of a loop share one: it is parsed before the next read."""
        self._transport = transport
        self._buffer = buffer
        self._parser = WebSocketReader(_Inlet(self), _LARGEST, compress=False, decode_text=True)
        self._unparsed = b""
        """What came after the reading stopped."""
        self._busy = False
        """Whether too many messages wait to be handled."""
        self._full = False
        """Whether too many bytes are unread."""
        self._overdue: asyncio.TimerHandle | None = None
        """Set while it is full."""
        self._drained: asyncio.Event | None = None
        """Set while somebody waits for the client to read."""
        self._ping: bytes | None = None
        """The newest ping that came while it was full: only that one needs an answer (RFC 6455, 5.5.3)."""
        self._dropping: asyncio.TimerHandle | None = None
        """Set once it has been told to close."""
        self._gone = False
        self.limit(limits)
        # As attributes, the transport's own: each event asks each client.
        self.pending: Callable[[], int] = transport.get_write_buffer_size
        self.write: Callable[[bytes], None] = transport.write
        self.abort: Callable[[], None] = transport.abort

    def said(self, text: str | None) -> None:
        """A message came; None where it is binary."""
        raise NotImplementedError

    def failed(self, code: int) -> None:
        """What came is no WebSocket, or more than may come; the close that says so has been sent."""

    def stuck(self) -> None:
        """The client has not read in time."""
        raise NotImplementedError

    def reads(self, *, on: bool) -> None:
        """The reading stopped, or goes on."""

    def left(self) -> None:
        """It has ended."""
        raise NotImplementedError

    def limit(self, limits: Limits) -> None:
        """Set how much may be unread, from now on."""
        self._limits = limits
        self._transport.set_write_buffer_limits(high=limits.mark, low=limits.mark)

    async def drained(self) -> None:
        """Wait until the client has read all but `mark` bytes, or is gone."""
        while self._full and not self._gone:
            if self._drained is None:
                self._drained = asyncio.Event()
            await self._drained.wait()

    def begin(self, early: bytes) -> None:
        """Take what came before it was the transport's protocol, then read."""
        self._unparsed = early
        if self.pending() > self._limits.mark:
            self.pause_writing()
        self._read_on()

    @property
    def reading(self) -> bool:
        return not self._full and not self._busy

    @property
    def closing(self) -> bool:
        return self._dropping is not None or self._transport.is_closing()

    def close(self, reason: CloseReason, last: bytes) -> None:
        self._say_close(reason.code, reason.name, last)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the buffer is as large as it is
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.received(bytes(self._buffer[:nbytes]))

    def received(self, data: bytes) -> None:
        """Parse what came, up to where the reading has to stop."""
        at = 0
        while at < len(data) and self.reading and not self._gone:
            self._parser.feed_data(data[at : at + _READ])
            at += _READ
        self._unparsed = data[at:]

    def pause_writing(self) -> None:
        """Too much is unread: asyncio's and uvloop's transports call this from within `write`."""
        if not self._full and not self._gone:
            self._full = True
            self._overdue = asyncio.get_running_loop().call_later(self._limits.patience, self.stuck)
            self._stop_reading()

    def resume_writing(self) -> None:
        """The client has read enough: the transport calls this."""
        if not self._full:
            return
        self._not_full()
        if self._ping is not None:
            ping, self._ping = self._ping, None
            self.write(frame(ping, opcode=0xA))
        self._read_on()

    def busy(self) -> None:
        """Read no more before `idle` is called."""
        if not self._busy:
            self._busy = True
            self._stop_reading()

    def idle(self) -> None:
        if self._busy:
            self._busy = False
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        if self._dropping is not None:
            self._dropping.cancel()
        self._leave()
        self._not_full()
        self._unparsed = b""
        del self._parser  # which holds us

    def take(self, message: WSMessage) -> None:
        """One message of the parser's."""
        kind = message.type
        if kind is WSMsgType.CLOSE:
            self._say_close(WSCloseCode.OK)
            self._transport.close()
            self._leave()
        elif self._dropping is not None:
            pass
        elif kind is WSMsgType.PING:
            if self._full:
                self._ping = bytes(message.data)
            else:
                self.write(frame(bytes(message.data), opcode=0xA))
        elif kind is not WSMsgType.PONG:
            self.said(message.data if kind is WSMsgType.TEXT else None)

    def refuse(self, error: BaseException) -> None:
        """The parser gave up: nothing that comes can be understood any more, so the client's own end is waited for."""
        code = error.code if isinstance(error, WebSocketError) else WSCloseCode.INTERNAL_ERROR
        self._say_close(code)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.failed(code)

    def _say_close(self, code: int, reason: str = "", last: bytes = b"") -> None:
        if self._dropping is None and not self._transport.is_closing():
            self._transport.write(last + frame(struct.pack("!H", code) + reason.encode(), opcode=0x8))
            self._dropping = asyncio.get_running_loop().call_later(_TO_CLOSE, self._transport.abort)
            self.write = _to_nobody

    def _stop_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self.reads(on=False)

    def _read_on(self) -> None:
        data, self._unparsed = self._unparsed, b""
        self.received(data)
        if self.reading and not self._transport.is_closing():
            self._transport.resume_reading()
            self.reads(on=True)

    def _not_full(self) -> None:
        self._full = False
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    def _leave(self) -> None:
        if not self._gone:
            self._gone = True
            self.left()


def _to_nobody(data: bytes) -> None:
    """After a close there is nothing to say."""


class _Inlet(WebSocketDataQueue):
    """Where aiohttp's parser puts what it has read: straight into the socket's hands."""

    __slots__ = ("_socket",)

    def __init__(self, socket: Socket) -> None:
        # The protocol is only held for who pauses its reading; the deque would never hold anything.
        super().__init__(socket, 0, loop=asyncio.get_running_loop())  # type: ignore[arg-type]
        self._buffer = None  # type: ignore[assignment]
        self._socket = socket

    def feed_data(self, data: WSMessage, size: int) -> None:  # type: ignore[override]  # noqa: ARG002
        self._socket.take(data)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:  # noqa: ARG002
        self._socket.refuse(exc)


def take_over(request: web.Request, early: bytes, socket: Socket, transport: asyncio.Transport) -> None:
    """Let aiohttp forget a connection that is a WebSocket now, and go on with what has come of it."""
    protocol = request.protocol
    if not transport.is_closing():
        transport.pause_reading()  # aiohttp may have; and uvloop looks at how a protocol reads where reading begins
    transport.set_protocol(socket)
    protocol.transport = None  # not its own to close any more
    protocol.connection_lost(None)
    socket.begin(early)


def early(request: web.Request) -> bytes:
    """What came behind the request, before it is answered: the first of the WebSocket's frames."""
    protocol = request.protocol
    tail, protocol._message_tail = protocol._message_tail, b""  # noqa: SLF001 - there is no public way to it
    return tail
