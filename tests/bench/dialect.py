"""How a client speaks to what it watches: boardcast, or one of its peers."""

from dataclasses import dataclass

from tests.bench.wire import hello, masked, upgrade


@dataclass(frozen=True)
class Dialect:
    """`live` is what tells that a client is told of everything from here on; `ping` of a text frame is answered by `pong`."""

    path: str
    live: bytes
    hello: bytes = b""
    ping: bytes | None = None
    pong: bytes = b""
    stream: bool = False

    def request(self, port: int) -> bytes:
        """The head that the connection begins with."""
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
