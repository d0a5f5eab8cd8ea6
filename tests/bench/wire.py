"""The WebSocket frames (RFC 6455) that the benchmark's clients send and read directly on a socket."""

import base64
import json
import os
import struct
from collections.abc import Iterator

PING = 0x9
PONG = b"\x8a\x80\x00\x00\x00\x00"
"""An empty frame with the mask that clients must use; a mask of zeros changes nothing."""


def upgrade(port: int, path: str = "/ws") -> bytes:
    """Return the request that opens a connection."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def hello(user: str, token: str, **options: object) -> bytes:
    """Return the frame that authenticates the client."""
    return masked(json.dumps({"type": "auth", "token": token, "userId": user, **options}).encode())


def masked(payload: bytes) -> bytes:
    """Return a text frame with a mask of zeros, as a client sends it."""
    size = len(payload)
    head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0x80 | 126, size)
    return head + bytes(4) + payload


def frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the opcode, and the start and end of the payload, of each complete frame."""
    at, end = 0, len(data)
    while at + 2 <= end:
        size = data[at + 1]
        start = at + {126: 4, 127: 10}.get(size, 2)
        if start > end:
            return
        if size == 126:
            (size,) = struct.unpack_from("!H", data, at + 2)
        elif size == 127:
            (size,) = struct.unpack_from("!Q", data, at + 2)
        if start + size > end:
            return
        yield data[at] & 0xF, start, start + size
        at = start + size
