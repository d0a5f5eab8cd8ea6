"""HTTP/1.0 requests get no chunks: the end of the connection ends the response."""

import asyncio
import json

import pytest

from tests.support.database import Database
from tests.support.services import Services

PLAIN = [
    ("feed", "GET", "/healthz"),
    ("feed", "GET", "/readyz"),
    ("feed", "GET", "/metrics"),
    ("feed", "GET", "/nowhere"),
    ("feed", "POST", "/sse"),
    ("feed", "GET", "/sse"),
    ("feed", "GET", "/ws"),
    ("feed", "OPTIONS", "/sse"),
    ("feed", "HEAD", "/healthz"),
    ("api", "GET", "/healthz"),
    ("api", "GET", "/metrics"),
    ("api", "GET", "/api/boards"),
    ("api", "GET", "/api/events"),
    ("api", "GET", "/api/trigger-log/stream"),
    ("api", "GET", "/"),
    ("api", "GET", "/docs"),
    ("api", "GET", "/openapi.json"),
    ("api", "GET", "/nowhere"),
    ("api", "HEAD", "/healthz"),
]
KINDS = {
    "1.0": ("HTTP/1.0", ""),
    "1.0 keep-alive": ("HTTP/1.0", "Connection: keep-alive\r\n"),
}


async def _request(
    services: Services, service: str, method: str, path: str, kind: str, headers: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int, dict[str, str]]:
    port = await (services.feed() if service == "feed" else services.api())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    version, connection = KINDS[kind]
    writer.write(f"{method} {path} {version}\r\nHost: 127.0.0.1:{port}\r\n{connection}{headers}\r\n".encode())
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.strip().split("\r\n")
    return reader, writer, int(status.split()[1]), {n.lower(): v for n, v in (line.split(": ", 1) for line in lines)}


@pytest.mark.parametrize("kind", KINDS)
async def test_responses(services: Services, kind: str) -> None:
    for service, method, path in PLAIN:
        reader, writer, status, headers = await _request(services, service, method, path, kind)
        where = f"{service} {method} {path}: {status} {headers}"
        assert "transfer-encoding" not in headers, where
        keeps = "keep-alive" in kind and headers.get("connection", "").lower() == "keep-alive"
        async with asyncio.timeout(10):
            length = int(headers.get("content-length", 0)) if method != "HEAD" else 0
            body = await reader.readexactly(length)
            if not keeps:
                assert await reader.read() == b"", where
        assert headers.get("content-type") != "application/problem+json" or json.loads(body or "{}"), where
        writer.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", ["feed /sse", "api /api/events", "api /api/trigger-log/stream"])
async def test_streams(services: Services, database: Database, stream: str, kind: str) -> None:
    service, path = stream.split()
    token = services.tokens.issue("ana", "Ana", 60, ("dba",))
    reader, writer, status, headers = await _request(
        services, service, "GET", path, kind, f"Authorization: Bearer {token}\r\n"
    )
    assert status == 200
    assert "transfer-encoding" not in headers
    assert "content-length" not in headers
    assert headers.get("connection", "close") == "close"
    begun = b"event: ready" if "trigger" in path else b"event: presence_state"
    received = b""
    async with asyncio.timeout(10):
        while begun not in received:
            received += await reader.read(65536)
        await database.execute("UPDATE opportunities SET title = 'Other' WHERE id = 'o1'")
        while b"Other" not in received:
            received += await reader.read(65536)
        await services.stop()
        received += await reader.read()
    assert received.startswith(b"retry: 2000\n\n")
    assert b"event: goodbye" in received
    assert received.endswith(b"\n\n")
    assert b"\r\n" not in received
    writer.close()
