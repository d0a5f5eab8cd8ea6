"""What all transports have in common: messages with their cursors, and how a stream ends."""

import asyncio
import json
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Message:
    body: dict[str, Any]
    cursor: str | None

    @property
    def kind(self) -> str:
        return str(self.body["type"])


class EndedError(Exception):
    """The stream is over, or did not begin. `code` is a close code or an HTTP status."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code


class Stream(ABC):
    transport: str

    @abstractmethod
    def messages(self) -> AsyncIterator[Message]:
        """Yield what the service sends. Raises EndedError at the end."""

    async def send(self, message: dict[str, Any]) -> bool:
        """Send a message; False on a transport that has no such direction."""
        return False

    @abstractmethod
    async def close(self) -> None:
        """End in an orderly way."""

    @abstractmethod
    async def cut(self) -> None:
        """End with a reset, at once."""


class Parsed:
    """JSON texts already read: one process has many clients that are sent the same bytes."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def load(self, text: str) -> Any:
        """Parse; numbers with a fraction are texts, so that none of their digits is lost. The result is shared: never change it."""
        value = self._known.get(text)
        if value is None:
            value = self._known[text] = json.loads(text, parse_float=str)
            if len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
        return value


PARSED = Parsed()


async def dial(url: str, buffer: int | None) -> socket.socket:
    """Connect to the host of an address; `buffer` is the receive buffer's size. Raises OSError."""
    place = urlsplit(url)
    sock = socket.socket()
    try:
        if buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (place.hostname or "127.0.0.1", place.port or 80))
    except BaseException:
        sock.close()
        raise
    return sock


def reset(transport: asyncio.WriteTransport) -> None:
    """Send RST, and close."""
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() != -1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
