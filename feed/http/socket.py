"""One WebSocket after its handshake: the protocol of its transport, and the sink of its client.

Invariant: an idle connection costs this object and a parser: no task, no request, no buffer. A client is read from only
while it has at most `max_unread` unread bytes. Above that the transport stops reading, so TCP slows down a client that
sends and never reads. If it stays above for `drain_timeout`, on_drain_timeout() is called. on_disconnect() is called
exactly once, however the connection ends. A client that does not answer a close in time is dropped with its unread bytes.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

from feed.wire.close_codes import CloseReason
from feed.wire.encoding import frame

_MAX_MESSAGE = 64 * 1024
_CLOSE_TIMEOUT = 2.0
_PARSE_SIZE = 8 * 1024
"""Bytes to parse at a time. Bounds what one read makes the service send and queue, and what stays unparsed when reading stops."""


class Limits(NamedTuple):
    """`max_unread`: unread bytes above which the client is not read from; `drain_timeout`: seconds it may stay above."""

    max_unread: int
    drain_timeout: float


class Socket(asyncio.BufferedProtocol):
    __slots__ = (
        "_buffer",
        "_close_timer",
        "_disconnected",
        "_drain_timer",
        "_drained",
        "_limits",
        "_messages_paused",
        "_over_limit",
        "_parser",
        "_ping",
        "_transport",
        "_unparsed",
        "abort",
        "pending",
        "write",
    )

    def __init__(self, transport: asyncio.Transport, buffer: memoryview, limits: Limits) -> None:
        """`buffer` receives the bytes of every read. It is shared by all sockets of the loop and parsed before the next read."""
        self._transport = transport
        self._buffer = buffer
        self._parser = WebSocketReader(_FrameReceiver(self), _MAX_MESSAGE, compress=False, decode_text=True)
        self._unparsed = b""
        """Bytes that came after reading was stopped."""
        self._messages_paused = False
        """Whether reading is stopped because too many messages are waiting."""
        self._over_limit = False
        """Whether reading is stopped because the client has too many unread bytes."""
        self._drain_timer: asyncio.TimerHandle | None = None
        """Runs while the client is over the limit."""
        self._drained: asyncio.Event | None = None
        """Set while someone waits for the client to read."""
        self._ping: bytes | None = None
        """The last ping received over the limit. Only that one needs an answer (RFC 6455, 5.5.3)."""
        self._close_timer: asyncio.TimerHandle | None = None
        """Runs once a close frame was sent."""
        self._disconnected = False
        self.set_limits(limits)
        # The methods of the transport itself, as attributes: they are called for every event and client.
        self.pending: Callable[[], int] = transport.get_write_buffer_size
        self.write: Callable[[bytes], None] = transport.write
        self.abort: Callable[[], None] = transport.abort

    def on_message(self, text: str | None) -> None:
        """Handle a message; None stands for a binary one."""
        raise NotImplementedError

    def on_protocol_error(self, code: int) -> None:
        """Handle data that is not a valid WebSocket message, or is too large. The close frame has been sent."""

    def on_drain_timeout(self) -> None:
        """Handle a client that did not read in time."""
        raise NotImplementedError

    def on_reading_changed(self, *, on: bool) -> None:
        """Handle that reading stopped or resumed."""

    def on_disconnect(self) -> None:
        """Handle the end of the connection."""
        raise NotImplementedError

    def set_limits(self, limits: Limits) -> None:
        """Change the limits."""
        self._limits = limits
        self._transport.set_write_buffer_limits(high=limits.max_unread, low=limits.max_unread)

    async def drained(self) -> None:
        """Wait until at most `max_unread` bytes are unread, or the client is gone."""
        while self._over_limit and not self._disconnected:
            if self._drained is None:
                self._drained = asyncio.Event()
            await self._drained.wait()

    def start(self, early: bytes) -> None:
        """Process the bytes received before this became the protocol of the transport, then start reading."""
        self._unparsed = early
        if self.pending() > self._limits.max_unread:
            self.pause_writing()
        self._resume_reading()

    @property
    def reading(self) -> bool:
        return not self._over_limit and not self._messages_paused

    @property
    def closing(self) -> bool:
        return self._close_timer is not None or self._transport.is_closing()

    def close(self, reason: CloseReason, last: bytes) -> None:
        self._send_close(reason.code, reason.name, last)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the buffer has a fixed size
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.on_bytes(bytes(self._buffer[:nbytes]))

    def on_bytes(self, data: bytes) -> None:
        """Parse received bytes until reading has to stop."""
        at = 0
        while at < len(data) and self.reading and not self._disconnected:
            self._parser.feed_data(data[at : at + _PARSE_SIZE])
            at += _PARSE_SIZE
        self._unparsed = data[at:]

    def pause_writing(self) -> None:
        """Stop reading: too much is unread. The transports of asyncio and uvloop call this from within `write`."""
        if not self._over_limit and not self._disconnected:
            self._over_limit = True
            self._drain_timer = asyncio.get_running_loop().call_later(self._limits.drain_timeout, self.on_drain_timeout)
            self._stop_reading()

    def resume_writing(self) -> None:
        """Resume reading: the client has read enough. Called by the transport."""
        if not self._over_limit:
            return
        self._clear_over_limit()
        if self._ping is not None:
            ping, self._ping = self._ping, None
            self.write(frame(ping, opcode=0xA))
        self._resume_reading()

    def pause_messages(self) -> None:
        """Stop reading until resume_messages() is called."""
        if not self._messages_paused:
            self._messages_paused = True
            self._stop_reading()

    def resume_messages(self) -> None:
        if self._messages_paused:
            self._messages_paused = False
            self._resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason does not matter
        if self._close_timer is not None:
            self._close_timer.cancel()
        self._mark_disconnected()
        self._clear_over_limit()
        self._unparsed = b""
        del self._parser  # breaks the reference cycle with this object

    def on_frame(self, message: WSMessage) -> None:
        """Handle a message from the parser."""
        kind = message.type
        if kind is WSMsgType.CLOSE:
            self._send_close(WSCloseCode.OK)
            self._transport.close()
            self._mark_disconnected()
        elif self._close_timer is not None:
            pass
        elif kind is WSMsgType.PING:
            if self._over_limit:
                self._ping = bytes(message.data)
            else:
                self.write(frame(bytes(message.data), opcode=0xA))
        elif kind is not WSMsgType.PONG:
            self.on_message(message.data if kind is WSMsgType.TEXT else None)

    def on_parse_error(self, error: BaseException) -> None:
        """Close after a parser error: nothing more can be understood, so wait for the client to end the connection."""
        code = error.code if isinstance(error, WebSocketError) else WSCloseCode.INTERNAL_ERROR
        self._send_close(code)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.on_protocol_error(code)

    def _send_close(self, code: int, reason: str = "", last: bytes = b"") -> None:
        if self._close_timer is None and not self._transport.is_closing():
            self._transport.write(last + frame(struct.pack("!H", code) + reason.encode(), opcode=0x8))
            self._close_timer = asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT, self._transport.abort)
            self.write = _discard

    def _stop_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self.on_reading_changed(on=False)

    def _resume_reading(self) -> None:
        data, self._unparsed = self._unparsed, b""
        self.on_bytes(data)
        if self.reading and not self._transport.is_closing():
            self._transport.resume_reading()
            self.on_reading_changed(on=True)

    def _clear_over_limit(self) -> None:
        self._over_limit = False
        if self._drain_timer is not None:
            self._drain_timer.cancel()
            self._drain_timer = None
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    def _mark_disconnected(self) -> None:
        if not self._disconnected:
            self._disconnected = True
            self.on_disconnect()


def _discard(data: bytes) -> None:
    """Replaces `write` once a close frame was sent."""


class _FrameReceiver(WebSocketDataQueue):
    """Passes messages from aiohttp's parser directly to the socket."""

    __slots__ = ("_socket",)

    def __init__(self, socket: Socket) -> None:
        # The queue keeps the protocol only to pause its reading, which is not used. Its deque would always be empty.
        super().__init__(socket, 0, loop=asyncio.get_running_loop())  # type: ignore[arg-type]
        self._buffer = None  # type: ignore[assignment]
        self._socket = socket

    def feed_data(self, data: WSMessage, size: int) -> None:  # type: ignore[override]  # noqa: ARG002
        self._socket.on_frame(data)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:  # noqa: ARG002
        self._socket.on_parse_error(exc)


def take_over(request: web.Request, early: bytes, socket: Socket, transport: asyncio.Transport) -> None:
    """Detach a connection that is now a WebSocket from aiohttp, and continue with the bytes received so far."""
    protocol = request.protocol
    if not transport.is_closing():
        transport.pause_reading()  # aiohttp may have paused it already; and uvloop picks its way of reading when reading starts
    transport.set_protocol(socket)
    protocol.transport = None  # no longer its transport to close
    protocol.connection_lost(None)
    socket.start(early)


def early_bytes(request: web.Request) -> bytes:
    """Return the bytes received after the request and before its response: the first WebSocket frames."""
    protocol = request.protocol
    tail, protocol._message_tail = protocol._message_tail, b""  # noqa: SLF001 - there is no public API for it
    return tail
