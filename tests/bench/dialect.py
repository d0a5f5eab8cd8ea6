"""The protocol that a client speaks with boardcast or one of its peers."""

from dataclasses import dataclass

from tests.bench.wire import hello, masked, upgrade


@dataclass(frozen=True)
class Dialect:
    """A client is live once it has received `live`; it answers the text frame `ping` with `pong`."""

    path: str
    live: bytes
    hello: bytes = b""
    ping: bytes | None = None
    pong: bytes = b""
    stream: bool = False

    def request(self, port: int) -> bytes:
        """Return the HTTP request that opens the connection."""
        if not self.stream:
            return upgrade(port, self.path)
        return f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()


def boardcast(user: str, token: str) -> Dialect:
    return Dialect("/ws", b'"auth_success"', hello(user, token))


STACK = Dialect("/ws", b'"auth_success"', masked(b'{"type":"auth","token":"","userId":"u"}'))
# Engine.IO: 2 and 3 are ping and pong, 40 connects to the default namespace.
SOCKET_IO = Dialect(
    "/socket.io/?EIO=4&transport=websocket", b'42["ready"]', masked(b"40"), ping=b"2", pong=masked(b"3")
)
PG_SSE = Dialect("/boards/b/stream", b"id: ", stream=True)
NAIVE = Dialect("/ws", b'"auth_success"')
