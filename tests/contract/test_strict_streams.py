"""Input of the event streams, on both services: whatever it is, the answer is a stream or a problem, and never a 5xx."""

import asyncio
from itertools import product

import pytest

from tests.support.services import Services

VALUES = [
    *(b"", b"%00", b"%ff", b"%ed%a0%80", b"\xff", "é".encode(), b"9" * 5000, b"x" * 30_000, b"999999d", b"true"),
    *(
        b"f.1.1..1.00000000",
        b"f.9999999999999999999.9999999999999999999..1.00000000",
        b"f.1.1..9999999999999999999.00000000",
    ),
]
PARAMETERS = ("?since=", "?boards=", "?ticket=", "?unknown=")
HEADERS = ("Last-Event-ID", "Origin", "Cookie", "Authorization", "X-Request-ID", "Accept")


async def status(port: int, path: str, name: str, value: bytes, token: str) -> int:
    """Open a stream with one faulty parameter or header; return the status."""
    in_query = name.startswith("?")
    target = path.encode() + (name.encode() + value if in_query else b"")
    head = b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if name not in {"Authorization", "Cookie", "?ticket="}:
        head += f"Authorization: Bearer {token}\r\n".encode()
    if not in_query:
        head += name.encode() + b": " + value + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head + b"\r\n")
        async with asyncio.timeout(10):
            return int((await reader.readline()).split()[1])
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("path", ["/sse", "/api/events", "/api/trigger-log/stream"])
async def test_invalid_input_is_a_stream_or_a_problem(services: Services, path: str) -> None:
    port = await (services.feed() if path == "/sse" else services.api())
    token = services.tokens.issue("ana", "Ana", 60, ["dba"])
    limit = asyncio.Semaphore(4)  # fewer than a user may open

    async def one(name: str, value: bytes) -> tuple[str, bytes, int]:
        async with limit:
            return name, value[:40], await status(port, path, name, value, token)

    answers = await asyncio.gather(*(one(*faulty) for faulty in product((*PARAMETERS, *HEADERS), VALUES)))
    allowed = {200, 400, 401, 403, 422, 429}
    assert [answer for answer in answers if answer[2] not in allowed] == []
