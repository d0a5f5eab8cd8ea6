"""How messages look on each wire. Bytes that are the same for many clients are made once, by Batch.

Invariant: what an encoding returns can be written to the socket as it is. Server frames of RFC 6455 are unmasked and not
fragmented; compression is off.
"""

import struct
from collections.abc import Sequence
from typing import Protocol

from feed.wire.event import Event, message


class Encoding(Protocol):
    """A wire format. Each is one object, so that it can be a key. `way` is what flags call its transport."""

    name: str
    way: str
    keepalive: bytes
    """What keeps the line open and is answered or skipped by the other end's transport; clients do not see it."""

    def message(self, kind: str, body: bytes, cursor: str | None = None) -> bytes:
        """One message; `cursor` says where the client stands once it has it."""
        ...

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        """Some events in one write, the cursor on the last; nothing for none."""
        ...

    def heartbeat(self, cursor: str | None) -> bytes:
        """A sign of life, with a fresh cursor for one who is up to date."""
        ...

    def goodbye(self, body: bytes, retry: int) -> bytes:
        """The last message of a stream that is to be taken up again in `retry` milliseconds."""
        ...


class WebSocketEncoding:
    """A text frame per message."""

    name = "websocket"
    way = "websocket"
    keepalive = b"\x89\0"  # PING

    def message(self, kind: str, body: bytes, cursor: str | None = None) -> bytes:  # noqa: ARG002 - as the others
        return frame(body)

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        if not events:
            return b""
        return b"".join([*(frame(e.json()) for e in events[:-1]), frame(events[-1].json(cursor))])

    def heartbeat(self, cursor: str | None) -> bytes:
        return frame(_beat(cursor)) + PING

    def goodbye(self, body: bytes, retry: int) -> bytes:  # noqa: ARG002 - the body says it
        return frame(body)


class WebSocketBatchEncoding(WebSocketEncoding):
    """A text frame per sweep, for clients that asked for `batch`."""

    name = "websocket-batch"

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        if not events:
            return b""
        ending = b"]}" if cursor is None else b'],"cursor":"%b"}' % cursor.encode()
        return frame(b'{"type":"batch","events":[' + b",".join([e.json() for e in events]) + ending)


class EventStreamEncoding:
    """Server-sent events: ``event:`` the type, ``data:`` the JSON, ``id:`` the cursor."""

    name = "sse"
    way = "sse"
    keepalive = b":\n\n"

    def message(self, kind: str, body: bytes, cursor: str | None = None) -> bytes:
        named = b"" if cursor is None else b"id: %b\n" % cursor.encode()
        return b"event: %b\n%bdata: %b\n\n" % (kind.encode(), named, body)

    def events(self, events: Sequence[Event], cursor: str | None) -> bytes:
        if not events:
            return b""
        told = [self.message(e.type, e.json()) for e in events[:-1]]
        return b"".join([*told, self.message(events[-1].type, events[-1].json(cursor), cursor)])

    def heartbeat(self, cursor: str | None) -> bytes:
        # With data, so that a page hears it: a comment moves the browser's Last-Event-ID, but nobody can tell that it came.
        return EventStreamEncoding.message(self, "heartbeat", _beat(cursor), cursor)

    def goodbye(self, body: bytes, retry: int) -> bytes:
        return b"retry: %d\n%b" % (retry, EventStreamEncoding.message(self, "goodbye", body))


class ChunkedEventStreamEncoding(EventStreamEncoding):
    """The same in chunks of HTTP/1.1, for writing straight to the transport."""

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


def _beat(cursor: str | None) -> bytes:
    return message("heartbeat", **({} if cursor is None else {"cursor": cursor}))


def frame(payload: bytes, opcode: int = 0x1) -> bytes:
    """An unmasked, final frame of RFC 6455, section 5.2."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, size) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


def chunk(data: bytes) -> bytes:
    """A chunk of RFC 9112, section 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


PING = frame(b"", opcode=0x9)
WEBSOCKET = WebSocketEncoding()
WEBSOCKET_BATCH = WebSocketBatchEncoding()
SSE = EventStreamEncoding()
SSE_CHUNKED = ChunkedEventStreamEncoding()
ENCODINGS: tuple[Encoding, ...] = (WEBSOCKET, WEBSOCKET_BATCH, SSE, SSE_CHUNKED)
