"""The common interface of all transports: messages with their cursors, and the end of a stream."""

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
_CACHE_SIZE = 4096


@dataclass(frozen=True, slots=True)
class Message:
    body: dict[str, Any]
    cursor: str | None

    @property
    def kind(self) -> str:
        return str(self.body["type"])


class EndedError(Exception):
    """The stream ended or could not be opened. `code` is a close code or an HTTP status."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code


class Stream(ABC):
    transport: str

    @abstractmethod
    def messages(self) -> AsyncIterator[Message]:
        """Yield the messages of the service. Raises EndedError at the end."""

    async def send(self, message: dict[str, Any]) -> bool:
        """Send a message; False on a transport that cannot send."""
        return False

    @abstractmethod
    async def close(self) -> None:
        """Close cleanly."""

    @abstractmethod
    async def cut(self) -> None:
        """Reset the connection."""


class Parsed:
    """A cache of parsed JSON: many clients in one process receive the same bytes."""

    def __init__(self) -> None:
        self._cache: dict[str, Any] = {}

    def load(self, text: str) -> Any:
        """Parse JSON, with fractional numbers as text to keep all digits. The result is shared: never modify it."""
        value = self._cache.get(text)
        if value is None:
            value = self._cache[text] = json.loads(text, parse_float=str)
            if len(self._cache) > _CACHE_SIZE:
                del self._cache[next(iter(self._cache))]
        return value


PARSED = Parsed()


async def dial(url: str, buffer: int | None) -> socket.socket:
    """Connect to the host of a URL; `buffer` is the size of the receive buffer. Raises OSError."""
    address = urlsplit(url)
    sock = socket.socket()
    try:
        if buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address.hostname or "127.0.0.1", address.port or 80))
    except BaseException:
        sock.close()
        raise
    return sock


def reset(transport: asyncio.WriteTransport) -> None:
    """Close the connection with RST."""
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() != -1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
