"""A TCP proxy that can fail in the ways networks do.

A connection whose bytes were swallowed never flows again: resuming would hand its ends a torn stream, which no network
does, so `resume` resets it.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit, urlunsplit

CHUNK = 16 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Link:
    """One client and its way to the server."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.ends = (client, server)
        self.torn = False
        self.hanging = False
        self.left: int | None = None
        """How much more the client may say before it hangs."""

    def reset(self) -> None:
        for end in self.ends:
            sock: socket.socket | None = end.get_extra_info("socket")
            if sock is not None and sock.fileno() != -1:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            end.transport.abort()


class Proxy:
    """Stands before `host:port`; an `async with` starts and stops it."""

    def __init__(self, host: str, port: int, *, receive_buffer: int | None = None) -> None:
        """Let `receive_buffer` (bytes) keep the kernel from hiding a slow reader behind megabytes of its own."""
        self._target = (host, port)
        self._receive_buffer = receive_buffer
        self._server: asyncio.Server | None = None
        self._port = 0
        self._links: set[_Link] = set()
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
    def before(cls, url: str, *, receive_buffer: int | None = None) -> Self:
        """Make a proxy before the host of `url`; `through` then gives the address to use instead."""
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError(f"no host and port in {url}")
        return cls(parts.hostname, parts.port, receive_buffer=receive_buffer)

    def through(self, url: str) -> str:
        parts = urlsplit(url)
        account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return urlunsplit(parts._replace(netloc=f"{account}127.0.0.1:{self.port}"))

    @property
    def port(self) -> int:
        return self._port

    @property
    def open_links(self) -> int:
        return len(self._links)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, after a first start on the same port again."""
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
        """Reset every connection, at both ends."""
        for link in list(self._links):
            link.reset()

    def refuse(self) -> None:
        """Refuse new connections; those there are live on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def hang(self) -> None:
        """Swallow all bytes and all closings in silence, of new connections too, while TCP goes on acknowledging."""
        self._hanging = True

    def hang_links(self) -> None:
        """Do that to the connections there are; new ones work."""
        for link in self._links:
            link.hanging = True

    def hang_at(self, said: bytes | None, after: int = 0) -> None:
        """Do that to each connection whose client says this from now on, before it is heard; None: to no more of them.

        `after`: not yet then, but at what the client sends so many times later.
        """
        self._hang_at, self._hang_after = said, after
        for link in self._links:
            link.left = None

    @property
    def hanging(self) -> int:
        """How many connections hang."""
        return sum(self._hanging or link.hanging for link in self._links)

    def pause(self) -> None:
        """Stop reading: nothing is lost, and the kernels' buffers fill."""
        self._flowing.clear()

    def throttle(self, bytes_per_second: float | None) -> None:
        """Read at most so fast in each direction; None lifts it."""
        self._rate = bytes_per_second

    async def resume(self) -> None:
        """End whatever was wrong, but reset the connections that lost bytes."""
        self._hanging = False
        self._hang_at = None
        self._rate = None
        for link in [link for link in self._links if link.torn]:
            link.reset()
        self._flowing.set()
        await self.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            writer.transport.abort()  # it was on its way when connections began to be refused
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
        there, back = await asyncio.open_connection(sock=sock, limit=CHUNK)
        link = _Link(writer, back)
        self._links.add(link)
        try:
            await asyncio.gather(self._pump(link, reader, back, self._listen), self._pump(link, there, writer))
        finally:
            self._links.discard(link)
            for end in link.ends:
                end.transport.abort()

    async def _pump(
        self,
        link: _Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        heard: Callable[[_Link, bytes], None] = lambda *_: None,
    ) -> None:
        try:
            while data := await self._read(link, reader, heard):
                writer.write(data)
                await writer.drain()
                self.forwarded += len(data)
                if self._rate is not None:
                    await asyncio.sleep(len(data) / self._rate)
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            if self._hanging or link.hanging:
                await self._silence(link)
            link.reset()  # one end is gone with an error, so the other one goes too

    def _listen(self, link: _Link, data: bytes) -> None:
        if self._hang_at is None:
            return
        if link.left is not None:
            link.left -= 1
        elif self._hang_at in data:
            link.left = self._hang_after
        link.hanging = link.hanging or link.left == 0

    async def _read(self, link: _Link, reader: asyncio.StreamReader, heard: Callable[[_Link, bytes], None]) -> bytes:
        while True:
            await self._flowing.wait()
            data = await reader.read(CHUNK if self._rate is None else max(1, min(CHUNK, int(self._rate / 10))))
            await self._flowing.wait()
            heard(link, data)
            if not (self._hanging or link.hanging):
                return data
            link.torn = True
            if not data:
                await self._silence(link)
                raise ConnectionResetError

    async def _silence(self, link: _Link) -> None:
        """Hold one end open after the other has closed, until somebody resets the link."""
        link.torn = True
        await asyncio.gather(*(end.wait_closed() for end in link.ends), return_exceptions=True)
