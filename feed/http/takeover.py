"""Taking a connection from aiohttp after its handshake: the only use of what aiohttp does not document.

Invariant: no received byte is lost, and aiohttp keeps neither the connection nor anything that belongs to it.
tests/contract/test_takeover.py fails if a new version of aiohttp breaks this.
"""

import asyncio

from aiohttp import web

from feed.http.socket import Socket

_NO_PROTOCOL = asyncio.Protocol()
"""uvloop's transports keep the method data_received of the last protocol that has one. Without this, that would be aiohttp's, and
all that belongs to the request would be kept with it."""


def early_bytes(request: web.Request) -> bytes:
    """Return the bytes received after the request and before its response: the first WebSocket frames."""
    protocol = request.protocol
    tail, protocol._message_tail = protocol._message_tail, b""  # noqa: SLF001 - there is no public API for it
    return tail


def take_over(request: web.Request, early: bytes, socket: Socket, transport: asyncio.Transport) -> None:
    """Detach a connection that is now a WebSocket from aiohttp, and continue with the bytes received so far."""
    protocol = request.protocol
    if not transport.is_closing():
        transport.pause_reading()  # aiohttp may have paused it already; and uvloop picks its way of reading when reading starts
    transport.set_protocol(_NO_PROTOCOL)
    transport.set_protocol(socket)
    protocol.transport = None  # no longer its transport to close
    protocol.connection_lost(None)
    socket.start(early)
