"""One WebSocket after its handshake: the protocol of its transport, and the sink of its client.

Invariant: an idle connection costs this object and a parser: no task, no request, no buffer. The service reads from a
client only while the client has at most `max_unread` unread bytes. Above that, the transport stops reading, so TCP slows
down a client that sends and never reads. If the client stays above it for `drain_timeout`, on_drain_timeout() is called.
on_disconnect() is called exactly once, however the connection ends. However much a client sends, the loop gets back to the
others after a few KiB of it. After a close frame was sent, only a few KiB more are parsed, to find the client's answer. A client
that does not answer in time is dropped with its unread bytes.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from websockets.protocol import SEND_EOF

from feed.http.messages import MessageProtocol
from feed.wire.close_codes import CloseReason

READ_SIZE = 1024
"""Bytes to read and parse at a time. Bounds what one read makes the service send and queue, and what stays unparsed when reading
stops. libuv reads up to 32 times in a row from one client, and parsing 1 KiB of empty frames takes a millisecond."""
_PARSED_IN_A_ROW = 4 * READ_SIZE
"""Bytes of one client after which the others have their turn."""
_CLOSE_TIMEOUT = 2.0
_PARSED_AFTER_CLOSE = 4 * READ_SIZE
"""Bytes after a close frame was sent in which its answer is looked for. Then the client is not read from any more: it may have been
closed because it sends too much."""


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
        "_parsed_after_close",
        "_parsed_in_a_row",
        "_pong",
        "_protocol",
        "_transport",
        "_turn_over",
        "_unparsed",
        "abort",
        "pending",
        "write",
    )

    def __init__(self, transport: asyncio.Transport, buffer: memoryview, limits: Limits) -> None:
        """`buffer` receives the bytes of every read. It is shared by all sockets of the loop and parsed before the next read."""
        self._transport = transport
        self._buffer = buffer
        self._protocol = MessageProtocol()
        self._unparsed = b""
        """Bytes that came after reading was stopped."""
        self._parsed_in_a_row = 0
        self._turn_over = False
        """Whether reading is stopped until the next turn of the loop."""
        self._messages_paused = False
        """Whether reading is stopped because too many messages are waiting."""
        self._over_limit = False
        """Whether reading is stopped because the client has too many unread bytes."""
        self._drain_timer: asyncio.TimerHandle | None = None
        """Runs while the client is over the limit."""
        self._drained: asyncio.Event | None = None
        """Set while someone waits for the client to read."""
        self._pong: bytes | None = None
        """The answer to the last ping received over the limit. Only that ping needs one (RFC 6455, 5.5.3)."""
        self._close_timer: asyncio.TimerHandle | None = None
        """Runs once a close frame was sent."""
        self._parsed_after_close = 0
        self._disconnected = False
        self.set_limits(limits)
        # The methods of the transport itself, as attributes: they are called for every event and client.
        self.pending: Callable[[], int] = transport.get_write_buffer_size
        self.write: Callable[[bytes], None] = transport.write
        self.abort: Callable[[], None] = transport.abort

    def on_message(self, text: str | None) -> None:
        """Handle a message; None stands for a binary one."""
        raise NotImplementedError

    def on_frames(self, number: int) -> None:
        """Handle that the client sent this many frames, before their messages are handled. May close the connection."""

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
        return not (self._over_limit or self._messages_paused or self._parsed_after_close >= _PARSED_AFTER_CLOSE)

    @property
    def closing(self) -> bool:
        return self._close_timer is not None or self._transport.is_closing()

    def close(self, reason: CloseReason, last: bytes) -> None:
        if not self.closing:
            self._protocol.send_close(reason.code, reason.name)
            self._write_close(last + b"".join(self._protocol.data_to_send()))

    def end(self) -> None:
        """End the connection once what was written is sent, without waiting for the client's close frame."""
        self._transport.close()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the buffer has a fixed size
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.on_bytes(bytes(self._buffer[:nbytes]))

    def on_bytes(self, data: bytes) -> None:
        """Parse received bytes until reading has to stop."""
        at = 0
        while at < len(data) and self.reading and not (self._turn_over or self._disconnected):
            part = data[at : at + READ_SIZE]
            at += READ_SIZE
            if self._close_timer is not None:
                self._parsed_after_close += len(part)
                if self._parsed_after_close >= _PARSED_AFTER_CLOSE:
                    self._stop_reading()
            self._parse(part)
            self._parsed_in_a_row += len(part)
            if self._parsed_in_a_row >= _PARSED_IN_A_ROW:
                self._end_turn()
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
        if self._pong is not None:
            pong, self._pong = self._pong, None
            self.write(pong)
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
        self._protocol.release()

    def _parse(self, data: bytes) -> None:
        messages = self._protocol.messages(data)
        self.on_frames(self._protocol.frames)
        for message in messages:
            if not self.closing:
                self.on_message(message)
        answers = self._protocol.data_to_send()
        if SEND_EOF in answers:
            self._on_end(answers)
            return
        for pong in answers:
            if self._over_limit:
                self._pong = pong
            else:
                self.write(pong)

    def _on_end(self, answers: list[bytes]) -> None:
        """Answer a close frame or invalid data, after which nothing is parsed. `answers` ends with a close frame and SEND_EOF."""
        if not self.closing:
            self._write_close(answers[-2])
        if self._protocol.close_rcvd is not None:
            self._transport.close()
            self._mark_disconnected()
        else:  # wait for the client to end the connection
            if self._transport.can_write_eof():
                self._transport.write_eof()
            if self._protocol.close_sent is not None:
                self.on_protocol_error(self._protocol.close_sent.code)

    def _write_close(self, data: bytes) -> None:
        self._transport.write(data)
        self._close_timer = asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT, self._transport.abort)
        self.write = _discard

    def _stop_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self.on_reading_changed(on=False)

    def _resume_reading(self) -> None:
        self._read_on()
        if self.reading and not self._transport.is_closing():
            self.on_reading_changed(on=True)

    def _read_on(self) -> None:
        """Parse what came before reading stopped, then read more, unless reading has to stop again."""
        data, self._unparsed = self._unparsed, b""
        self.on_bytes(data)
        if self.reading and not self._turn_over and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end_turn(self) -> None:
        if not self._transport.is_closing():
            self._turn_over = True
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._start_turn)

    def _start_turn(self) -> None:
        self._turn_over = False
        self._parsed_in_a_row = 0
        if self.reading and not self._transport.is_closing():
            self._read_on()

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
