"""The services that the attackers attack, what they may cost, and the attackers' sockets."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.settings import Settings
from feed.access.tokens import Tokens
from tests.cli.harness import SECRET
from tests.support.database import Database

KIB = 1024
LIMITS = {
    "BOARDCAST_CLIENT_BUDGET": "64KiB",
    "BOARDCAST_DRAIN_TIMEOUT": "1",
    "BOARDCAST_REQUEST_TIMEOUT": "1",
    "BOARDCAST_HEARTBEAT_INTERVAL": "10",
    "BOARDCAST_MAX_UNAUTHENTICATED": "40",
}
MAX_GROWTH = 32 * KIB * KIB
"""Bytes by which the memory of a service may grow."""


@dataclass
class Stage:
    database: Database
    feed: int
    """Its port, as the others."""
    api: int
    proxy: int
    pids: list[int]
    """The processes of the feed and the API."""
    proxy_pid: int

    def token(self, user: str) -> str:
        return Tokens(Settings(jwt_secret=SECRET)).issue(user, user.title(), 600)

    def memory(self) -> list[int]:
        """Return the resident bytes of each service."""
        return [_resident(pid) for pid in self.pids]

    def descriptors(self) -> int:
        """Return how many descriptors the services have open.

        Attackers cannot see whether they were cut: while they do not read, the kernel cannot tell them.
        """
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.pids)


def _resident(pid: int) -> int:
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * KIB


class Attacker:
    """A connection that sends, and reads only on request."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sent = 0
        self.received = b""

    async def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)
            self.sent += len(data)

    async def flood(self, data: bytes, most: int) -> None:
        """Send the same data until nothing is accepted fifty times in a row, or the connection is cut."""
        chunk, at, refused = data * max(1, 16 * KIB // len(data)), 0, 0
        with contextlib.suppress(ConnectionError):
            while self.sent < most and refused < 50:  # not for a time: the service may be late
                try:
                    sent = self.sock.send(memoryview(chunk)[at:])
                except BlockingIOError:
                    refused += 1
                    await asyncio.sleep(0.005)
                    continue
                refused, self.sent, at = 0, self.sent + sent, (at + sent) % len(chunk)
                await asyncio.sleep(0)

    async def read(self) -> None:
        """Read until the connection ends."""
        with contextlib.suppress(ConnectionError):
            while data := await asyncio.get_running_loop().sock_recv(self.sock, 64 * KIB):
                self.received += data


@contextmanager
def sockets() -> Iterator[list[socket.socket]]:
    """Close the sockets that are added to the list."""
    opened: list[socket.socket] = []
    try:
        yield opened
    finally:
        for sock in opened:
            sock.close()


async def attacker(port: int, opened: list[socket.socket]) -> Attacker:
    """Connect. The kernel accepts little that the attacker does not read."""
    sock = socket.socket()
    opened.append(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return Attacker(sock)
