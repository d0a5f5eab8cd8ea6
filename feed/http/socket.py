"""One WebSocket after its handshake: the protocol of its transport, and the sink of its client.

Invariant: while nothing is said, nothing is kept for it but this object and a parser: no task, no request. Nobody waits for its
client: what it does not read stays in the transport, up to its budget. However it ends, `left` is called, once; and who does not
answer a close is dropped, with all that he has not read.
"""

import asyncio
import struct
from collections.abc import Callable

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

from feed.encoding import frame
from feed.goodbye import Goodbye

_LARGEST = 64 * 1024
_TO_CLOSE = 2.0
_PONG = frame(b"", opcode=0xA)


class Socket(asyncio.Protocol):
    __slots__ = ("_dropping", "_gone", "_parser", "_transport", "abort", "pending", "write")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parser = WebSocketReader(_Inlet(self), _LARGEST, compress=False, decode_text=True)
        self._dropping: asyncio.TimerHandle | None = None
        """Set once it has been told to close."""
        self._gone = False
        # As attributes, the transport's own: each event asks each client.
        self.pending: Callable[[], int] = transport.get_write_buffer_size
        self.write: Callable[[bytes], None] = transport.write
        self.abort: Callable[[], None] = transport.abort

    def said(self, text: str | None) -> None:
        """A message came; None where it is binary."""
        raise NotImplementedError

    def failed(self, code: int) -> None:
        """What came is no WebSocket, or more than may come; the close that says so has been sent."""

    def left(self) -> None:
        """It has ended."""
        raise NotImplementedError

    @property
    def closing(self) -> bool:
        return self._dropping is not None or self._transport.is_closing()

    def close(self, goodbye: Goodbye, last: bytes) -> None:
        self._say_close(goodbye.code, goodbye.name, last)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        if self._dropping is not None:
            self._dropping.cancel()
        self._leave()
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
            self.write(frame(bytes(message.data), opcode=0xA) if message.data else _PONG)
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
    transport.set_protocol(socket)
    protocol.transport = None  # not its own to close any more
    protocol.connection_lost(None)
    if early:
        socket.data_received(early)


def early(request: web.Request) -> bytes:
    """What came behind the request, before it is answered: the first of the WebSocket's frames."""
    protocol = request.protocol
    tail, protocol._message_tail = protocol._message_tail, b""  # noqa: SLF001 - there is no public way to it
    return tail
