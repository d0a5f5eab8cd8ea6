"""A TCP proxy that fails as networks do, and whose target can change, as an address does in a failover.

Invariant: a connection that lost bytes never transfers data again. It stays silent until the network heals and is then reset:
TCP would never deliver a stream with a gap.
"""

import asyncio
import contextlib
import socket
import struct

CHUNK = 64 * 1024
_KEEPALIVES = 15.0
"""Seconds after which a connection with one closed end is reset, because this proxy answers the kernel's keepalive probes."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """An accepted connection and its connection to the target."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.ends = (client, server)
        self.silent = False
        """Whether bytes are dropped."""
        self.torn = False
        """Whether bytes were dropped."""
        self.healed = asyncio.Event()

    def reset(self) -> None:
        """Send RST in both directions."""
        self.healed.set()
        for end in self.ends:
            sock: socket.socket | None = end.get_extra_info("socket")
            if sock is not None:
                with contextlib.suppress(OSError, ValueError):  # closed already
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            end.transport.abort()

    def finish(self) -> None:
        """Send FIN in both directions."""
        for end in self.ends:
            end.close()


class Proxy:
    """Listens from `start()` to `stop()` on one port of the loopback address."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.target = port
        self.port = 0
        self.connections: set[Connection] = set()
        self._listening: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._black_hole = False
        self._latency = 0.0
        self._rate: float | None = None

    async def start(self) -> None:
        if self._listening is None:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
            self.port = listener.getsockname()[1]
            self._listening = await asyncio.start_server(self._accept, sock=listener, limit=CHUNK)

    async def stop(self) -> None:
        self.refuse()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection."""
        for connection in list(self.connections):
            connection.reset()

    def fin(self) -> None:
        """Close every connection with FIN."""
        for connection in list(self.connections):
            connection.finish()

    def refuse(self) -> None:
        """Refuse new connections; open ones continue."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def black_hole(self) -> None:
        """Accept and acknowledge everything, also new connections, but forward nothing."""
        self._black_hole = True
        self.hang()

    def hang(self) -> None:
        """Silence the open connections for good; new ones work, as after a router lost its state."""
        for connection in self.connections:
            connection.silent = True

    def delay(self, seconds: float) -> None:
        """Delay each chunk."""
        self._latency = seconds

    def throttle(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second

    async def heal(self, *, hung: bool = True) -> None:
        """End all faults. Silent connections are reset; with `hung=False` they stay silent until their ends notice."""
        self._black_hole, self._latency, self._rate = False, 0.0, None
        if hung:
            for connection in [each for each in self.connections if each.silent or each.torn]:
                connection.reset()
        await self.start()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._tasks.add(task)
        try:
            await self._connect(reader, writer)
        except asyncio.CancelledError:
            pass  # stop() awaits this task; the stream's callback would report the cancellation as an error
        except OSError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK)
        connection = Connection(writer, target_writer)
        connection.silent = self._black_hole
        self.connections.add(connection)
        try:
            await asyncio.gather(
                self._pump(connection, reader, target_writer),
                self._pump(connection, target_reader, writer),
            )
        finally:
            self.connections.discard(connection)
            for end in connection.ends:
                end.transport.abort()

    async def _pump(self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await self._read(connection, reader):
                if self._latency:
                    await asyncio.sleep(self._latency)
                if self._rate is not None:
                    await asyncio.sleep(len(data) / self._rate)
                if connection.silent:
                    connection.torn = True
                    continue
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):
            if connection.silent:
                await self._hold_silence(connection)
            connection.reset()

    async def _read(self, connection: Connection, reader: asyncio.StreamReader) -> bytes:
        """Return the next bytes to forward. Raises ConnectionResetError after a silence."""
        while True:
            size = CHUNK if self._rate is None else max(1, min(CHUNK, int(self._rate / 10)))
            data = await reader.read(size)
            if not connection.silent:
                return data
            connection.torn = True
            if not data:
                await self._hold_silence(connection)
                raise ConnectionResetError

    async def _hold_silence(self, connection: Connection) -> None:
        """Hide the end of one side from the other until the network heals or keepalive would have detected it."""
        connection.torn = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KEEPALIVES):
                await connection.healed.wait()
        connection.reset()
