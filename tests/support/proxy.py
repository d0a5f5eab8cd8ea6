"""A TCP proxy that can fail in the ways networks do.

`resume` resets a connection that lost bytes: forwarding again would corrupt its stream, which no network does.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit, urlunsplit

CHUNK = 16 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Connection:
    """A client's connection and the matching connection to the server."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.ends = (client, server)
        self.lost_bytes = False
        self.hanging = False
        self.chunks_left: int | None = None
        """How many more chunks the client may send before the connection hangs."""

    def reset(self) -> None:
        for end in self.ends:
            sock: socket.socket | None = end.get_extra_info("socket")
            if sock is not None and sock.fileno() != -1:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            end.transport.abort()


class Proxy:
    """Proxies to `host:port`; `async with` starts and stops it."""

    def __init__(self, host: str, port: int, *, receive_buffer: int | None = None) -> None:
        """`receive_buffer` (bytes) limits how much the kernel buffers for a slow reader."""
        self._target = (host, port)
        self._receive_buffer = receive_buffer
        self._server: asyncio.Server | None = None
        self._port = 0
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._hanging = False
        self._hang_at: bytes | None = None
        self._hang_after = 0
        self._rate: float | None = None
        self.accepted = 0
        self.forwarded = 0

    @classmethod
    def for_url(cls, url: str, *, receive_buffer: int | None = None) -> Self:
        """Make a proxy to the host of `url`; `rewrite_url` returns the URL that goes through it."""
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError(f"no host and port in {url}")
        return cls(parts.hostname, parts.port, receive_buffer=receive_buffer)

    def rewrite_url(self, url: str) -> str:
        parts = urlsplit(url)
        account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return urlunsplit(parts._replace(netloc=f"{account}127.0.0.1:{self.port}"))

    @property
    def port(self) -> int:
        return self._port

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; a restart uses the same port."""
        if self._server is None:
            listener = socket.create_server(("127.0.0.1", self._port))
            if self._receive_buffer is not None:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
            self._port = listener.getsockname()[1]
            self._server = await asyncio.start_server(self._serve, sock=listener, limit=CHUNK)

    async def stop(self) -> None:
        self.refuse()
        self.cut()
        await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection at both ends."""
        for connection in list(self._connections):
            connection.reset()

    def refuse(self) -> None:
        """Refuse new connections and keep the existing ones."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def hang(self) -> None:
        """Silently drop all data and closes, on new connections too; TCP still acknowledges."""
        self._hanging = True

    def hang_connections(self) -> None:
        """Hang the existing connections; new ones work."""
        for connection in self._connections:
            connection.hanging = True

    def hang_at(self, pattern: bytes | None, after: int = 0) -> None:
        """Hang each connection when its client sends `pattern`, before it is forwarded; None disables this.

        With `after`, the connection hangs that many chunks later instead.
        """
        self._hang_at, self._hang_after = pattern, after
        for connection in self._connections:
            connection.chunks_left = None

    @property
    def hanging(self) -> int:
        """The number of hanging connections."""
        return sum(self._hanging or connection.hanging for connection in self._connections)

    def pause(self) -> None:
        """Stop reading: nothing is lost, and the kernel's buffers fill."""
        self._flowing.clear()

    def throttle(self, bytes_per_second: float | None) -> None:
        """Limit the rate in each direction; None removes the limit."""
        self._rate = bytes_per_second

    async def resume(self) -> None:
        """End all faults, and reset the connections that lost bytes."""
        self._hanging = False
        self._hang_at = None
        self._rate = None
        for connection in [connection for connection in self._connections if connection.lost_bytes]:
            connection.reset()
        self._flowing.set()
        await self.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            writer.transport.abort()  # accepted just before refuse()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        try:
            await self._connect(reader, writer)
        except asyncio.CancelledError:
            pass  # stop() awaits us; the stream's callback would report the cancellation as an error
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = socket.socket()
        if self._receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self._target)
        except BaseException as error:
            sock.close()
            if isinstance(error, OSError):
                return
            raise
        server_reader, server_writer = await asyncio.open_connection(sock=sock, limit=CHUNK)
        connection = _Connection(writer, server_writer)
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._pump(connection, reader, server_writer, self._match),
                self._pump(connection, server_reader, writer),
            )
        finally:
            self._connections.discard(connection)
            for end in connection.ends:
                end.transport.abort()

    async def _pump(
        self,
        connection: _Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        observe: Callable[[_Connection, bytes], None] = lambda *_: None,
    ) -> None:
        try:
            while data := await self._read(connection, reader, observe):
                writer.write(data)
                await writer.drain()
                self.forwarded += len(data)
                if self._rate is not None:
                    await asyncio.sleep(len(data) / self._rate)
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            if self._hanging or connection.hanging:
                await self._silence(connection)
            connection.reset()  # one end failed, so reset the other too

    def _match(self, connection: _Connection, data: bytes) -> None:
        if self._hang_at is None:
            return
        if connection.chunks_left is not None:
            connection.chunks_left -= 1
        elif self._hang_at in data:
            connection.chunks_left = self._hang_after
        connection.hanging = connection.hanging or connection.chunks_left == 0

    async def _read(
        self, connection: _Connection, reader: asyncio.StreamReader, observe: Callable[[_Connection, bytes], None]
    ) -> bytes:
        while True:
            await self._flowing.wait()
            data = await reader.read(CHUNK if self._rate is None else max(1, min(CHUNK, int(self._rate / 10))))
            await self._flowing.wait()
            observe(connection, data)
            if not (self._hanging or connection.hanging):
                return data
            connection.lost_bytes = True
            if not data:
                await self._silence(connection)
                raise ConnectionResetError

    async def _silence(self, connection: _Connection) -> None:
        """Keep one end open after the other has closed, until the connection is reset."""
        connection.lost_bytes = True
        await asyncio.gather(*(end.wait_closed() for end in connection.ends), return_exceptions=True)
