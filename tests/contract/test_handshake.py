"""Requests to /ws and headers that are no handshake of RFC 6455: refused, without an error of the service."""

import asyncio
import base64

import pytest
from structlog.testing import capture_logs

from tests.support.services import Services

VALID = {
    b"Host": b"127.0.0.1",
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Version": b"13",
    b"Sec-WebSocket-Key": base64.b64encode(b"sixteen bytes ok"),
}
REFUSED: dict[str, tuple[bytes, dict[bytes, bytes]]] = {
    "draft 8": (b"GET /ws HTTP/1.1", {b"Sec-WebSocket-Version": b"8"}),
    "draft 7": (b"GET /ws HTTP/1.1", {b"Sec-WebSocket-Version": b"7"}),
    "no version": (b"GET /ws HTTP/1.1", {b"Sec-WebSocket-Version": b""}),
    "version no UTF-8": (b"GET /ws HTTP/1.1", {b"Sec-WebSocket-Version": b"\xff"}),
    "HTTP/1.0": (b"GET /ws HTTP/1.0", {}),
    "short key": (b"GET /ws HTTP/1.1", {b"Sec-WebSocket-Key": b"eA=="}),
    "key with other characters": (b"GET /ws HTTP/1.1", {b"Sec-WebSocket-Key": b"c2l4dGVlbiBieXRlcyBvaw==!"}),
    "key no UTF-8": (b"GET /ws HTTP/1.1", {b"Sec-WebSocket-Key": b"\xff" * 24}),
    "upgrade no UTF-8": (b"GET /ws HTTP/1.1", {b"Upgrade": b"\xff"}),
    "connection no UTF-8": (b"GET /ws HTTP/1.1", {b"Connection": b"\xff"}),
    "another protocol": (b"GET /ws HTTP/1.1", {b"Upgrade": b"h2c"}),
}


async def status(port: int, line: bytes, headers: dict[bytes, bytes]) -> tuple[int, bytes]:
    """Send a request; return the status and the head of the response. The service must log nothing above the level debug."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with capture_logs() as logs:
            writer.write(line + b"\r\n" + b"".join(b"%s: %s\r\n" % field for field in headers.items()) + b"\r\n")
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
        assert {entry["log_level"] for entry in logs} <= {"debug"}
    finally:
        writer.transport.abort()
    return int(head.split()[1]), head


async def test_a_valid_handshake_is_accepted(services: Services) -> None:
    port = await services.feed()
    assert (await status(port, b"GET /ws HTTP/1.1", VALID))[0] == 101
    assert (await status(port, b"HEAD /ws HTTP/1.1", VALID))[0] == 405


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_is_no_handshake_gets_426(services: Services, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    line, headers = REFUSED[kind]
    answered, head = await status(await services.feed(), line, VALID | headers)
    assert answered == 426
    assert b"Sec-WebSocket-Version: 13" in head
    assert not caplog.records


@pytest.mark.parametrize("path", [b"/healthz", b"/ws", b"/sse", b"/nothing"])
async def test_an_expect_header_that_is_no_utf8_is_refused(
    services: Services, path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for expect in (b"\xff", b"miracles"):
        answered, _ = await status(await services.feed(), b"GET " + path + b" HTTP/1.1", VALID | {b"Expect": expect})
        assert answered == 417
    assert not caplog.records


async def test_an_offered_subprotocol_is_not_logged(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    offer = VALID | {b"Sec-WebSocket-Protocol": b"a-token-that-a-client-put-here"}
    assert (await status(await services.feed(), b"GET /ws HTTP/1.1", offer))[0] == 101
    assert not caplog.records
