"""GET /sse of the feed and GET /api/events of the API, over a plain socket, whose receive buffer can be small."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Self
from urllib.parse import urlsplit

from tests.chaos.clients.stream import PARSED, EndedError, Message, Stream, dial, reset

_PATIENCE = 10.0


class EventStream(Stream):
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, transport: str) -> None:
        self._reader = reader
        self._writer = writer
        self.transport = transport

    @classmethod
    async def open(
        cls,
        url: str,
        token: str,
        cursor: str | None,
        boards: list[str] | None,
        *,
        transport: str,
        buffer: int | None,
        rng: random.Random,
    ) -> Self:
        """Send the request and read the response head. Raises EndedError."""
        address = urlsplit(url)
        query = [] if boards is None else [f"boards={','.join(boards)}"]
        headers = [f"Host: {address.netloc}", "Accept: text/event-stream", f"Authorization: Bearer {token}"]
        if cursor is not None and rng.random() < 0.5:
            query.append(f"since={cursor}")
        elif cursor is not None:
            headers.append(f"Last-Event-ID: {cursor}")
        path = address.path + ("?" + "&".join(query) if query else "")
        try:
            sock = await dial(url, buffer)
            reader, writer = await asyncio.open_connection(sock=sock, limit=4096 if buffer else 1 << 16)
        except OSError as error:
            raise EndedError(f"cannot connect: {error!r}") from error
        stream = cls(reader, writer, transport)
        try:
            writer.write("\r\n".join([f"GET {path} HTTP/1.1", *headers, "", ""]).encode())
            async with asyncio.timeout(_PATIENCE):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            _check(head)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            await stream.cut()
            raise EndedError(f"cannot connect: {error!r}") from error
        except BaseException:
            await stream.cut()
            raise
        return stream

    async def messages(self) -> AsyncIterator[Message]:
        unread = b""
        try:
            async for data in self._chunks():
                *blocks, unread = (unread + data).split(b"\n\n")
                for block in blocks:
                    if (message := _message(block)) is not None:
                        yield message
        except (OSError, asyncio.IncompleteReadError) as error:
            raise EndedError(f"cut: {error!r}") from error
        raise EndedError("ended")

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def cut(self) -> None:
        reset(self._writer.transport)
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            remaining = size
            while remaining:
                data = await self._reader.read(min(remaining, 1 << 16))
                if not data:
                    raise asyncio.IncompleteReadError(b"", remaining)
                remaining -= len(data)
                yield data
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)


def _message(block: bytes) -> Message | None:
    """Parse a block between blank lines as the HTML standard describes; None without data."""
    fields: dict[str, str] = {}
    for line in block.decode().split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
    if "data" not in fields:
        return None
    return Message(PARSED.load(fields["data"]), fields.get("id"))


def _check(head: str) -> None:
    status = int(head.split()[1])
    if status != 200:
        raise EndedError(f"refused with {status}", status)
    if "transfer-encoding: chunked" not in head:
        raise EndedError("an event stream that is not chunked", status)
