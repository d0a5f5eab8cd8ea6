"""How messages are encoded for each transport. Batch makes bytes for many clients only once.

Invariant: the result can be written to the socket as it is. Server frames (RFC 6455) are unmasked and not fragmented, and
compression is off. The JSON of a server-sent event is one line for every reader, whatever that reader takes for the end of
a line.
"""

import struct
from collections.abc import Sequence
from typing import Protocol

from feed.wire.event import Event, message


class Encoding(Protocol):
    """A wire format. Each is a single object, so that it can be a key. `transport` is its name in flags."""

    name: str
    transport: str
    keepalive: bytes
    """Keeps the connection open. The transport of the client answers or ignores it; the application does not see it."""

    def message(self, kind: str, body: bytes, cursor: str | None = None) -> bytes:
        """Encode one message; `cursor` is the client's position once it has received it."""
        ...

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        """Encode events for one write, with the cursor on the last one; empty if there are none."""
        ...

    def heartbeat(self, cursor: str | None) -> bytes:
        """Encode a heartbeat, with the cursor for an up-to-date client."""
        ...

    def goodbye(self, body: bytes, retry: int) -> bytes:
        """Encode the last message of a stream that the client should resume in `retry` milliseconds."""
        ...


class WebSocketEncoding:
    """One text frame per message."""

    name = "websocket"
    transport = "websocket"
    keepalive = b"\x89\0"  # a ping frame

    def message(self, kind: str, body: bytes, cursor: str | None = None) -> bytes:  # noqa: ARG002 - the interface
        return frame(body)

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        if not events:
            return b""
        return b"".join([*(frame(e.json()) for e in events[:-1]), frame(events[-1].json(cursor))])

    def heartbeat(self, cursor: str | None) -> bytes:
        return frame(_heartbeat(cursor)) + PING

    def goodbye(self, body: bytes, retry: int) -> bytes:  # noqa: ARG002 - it is in the body
        return frame(body)


class WebSocketBatchEncoding(WebSocketEncoding):
    """One text frame per read pass, for clients that requested `batch`."""

    name = "websocket-batch"

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        if not events:
            return b""
        ending = b"]}" if cursor is None else b'],"cursor":"%b"}' % cursor.encode()
        return frame(b'{"type":"batch","events":[' + b",".join([e.json() for e in events]) + ending)


class EventStreamEncoding:
    """Server-sent events: ``event:`` is the type, ``data:`` the JSON, ``id:`` the cursor."""

    name = "sse"
    transport = "sse"
    keepalive = b":\n\n"

    def message(self, kind: str, body: bytes, cursor: str | None = None) -> bytes:
        id_line = b"" if cursor is None else b"id: %b\n" % cursor.encode()
        return b"event: %b\n%bdata: %b\n\n" % (kind.encode(), id_line, one_line(body))

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        if not events:
            return b""
        messages = [self.message(e.type, e.json()) for e in events[:-1]]
        return b"".join([*messages, self.message(events[-1].type, events[-1].json(cursor), cursor)])

    def heartbeat(self, cursor: str | None) -> bytes:
        # An event, so that pages notice it. A comment would also move the browser's Last-Event-ID, but pages cannot see it.
        return EventStreamEncoding.message(self, "heartbeat", _heartbeat(cursor), cursor)

    def goodbye(self, body: bytes, retry: int) -> bytes:
        return b"retry: %d\n%b" % (retry, EventStreamEncoding.message(self, "goodbye", body))


class ChunkedEventStreamEncoding(EventStreamEncoding):
    """The same in chunks of HTTP/1.1, to be written directly to the transport."""

    name = "sse-chunked"
    keepalive = b"3\r\n:\n\n\r\n"

    def message(self, kind: str, body: bytes, cursor: str | None = None) -> bytes:
        return chunk(super().message(kind, body, cursor))

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        if not events:
            return b""
        return chunk(SSE.events(events, cursor))

    def heartbeat(self, cursor: str | None) -> bytes:
        return chunk(super().heartbeat(cursor))

    def goodbye(self, body: bytes, retry: int) -> bytes:
        return chunk(super().goodbye(body, retry))


def _heartbeat(cursor: str | None) -> bytes:
    return message("heartbeat", **({} if cursor is None else {"cursor": cursor}))


def frame(payload: bytes, opcode: int = 0x1) -> bytes:
    """Return an unmasked, final frame of RFC 6455, section 5.2."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, size) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


def one_line(json: bytes) -> bytes:
    """Escape the line separators that JSON allows unescaped: NEL, U+2028, and U+2029.

    The standard ends a line of an event stream only at CR and LF, but many readers use the line ends of Unicode (such as
    str.splitlines of Python). JSON always escapes the others: CR, LF, VT, FF, and the separators FS, GS, and RS.
    """
    json = json.replace(b"\xc2\x85", b"\\u0085")
    return json.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


def chunk(data: bytes) -> bytes:
    """Return a chunk of RFC 9112, section 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


PING = frame(b"", opcode=0x9)
WEBSOCKET = WebSocketEncoding()
WEBSOCKET_BATCH = WebSocketBatchEncoding()
SSE = EventStreamEncoding()
SSE_CHUNKED = ChunkedEventStreamEncoding()
ENCODINGS: tuple[Encoding, ...] = (WEBSOCKET, WEBSOCKET_BATCH, SSE, SSE_CHUNKED)
