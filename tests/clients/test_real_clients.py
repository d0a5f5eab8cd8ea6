"""Third-party clients, unmodified, through disconnections and restarts: no event is lost or repeated."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.database import Database
from tests.support.program import Program
from tests.support.proxy import Proxy
from tests.support.services import Services
from tests.support.until import until

HERE = Path(__file__).parent
TIMEOUT = 20.0


async def _write(database: Database, number: int) -> None:
    for _ in range(number):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = 'o1'")


@pytest.mark.parametrize(
    ("script", "address"), [("eventsource.mjs", "http://{}/sse"), ("reconnecting.mjs", "ws://{}/ws")]
)
async def test_a_client_from_npm_resumes_from_its_cursor(
    services: Services, database: Database, node: str, script: str, address: str
) -> None:
    program = Program(HERE)
    async with Proxy("127.0.0.1", await services.feed()) as proxy:
        url = address.format(f"127.0.0.1:{proxy.port}")
        async with program.run(node, script, url, services.token()):
            await until(lambda: program.count("auth_success") == 1, timeout=TIMEOUT)
            await _write(database, 5)
            await until(lambda: len(program.versions()) == 5)
            proxy.cut()
            await _write(database, 5)
            await until(lambda: len(program.versions()) == 10, timeout=TIMEOUT)
            await services.stop()
            await until(lambda: program.count("goodbye") == 1)
            await _write(database, 5)
            await services.feed()
            await until(lambda: len(program.versions()) == 15, timeout=TIMEOUT)
            await _write(database, 5)
            await until(lambda: len(program.versions()) == 20, timeout=TIMEOUT)
    assert program.versions() == list(range(2, 22))
    assert program.count("reset") == 0


async def test_the_websockets_library_reconnects_by_itself(services: Services, database: Database) -> None:
    """With its reconnecting iterator, its keepalive pings, and compression offered."""
    port = await services.feed()
    versions: list[int] = []
    authenticated = asyncio.Event()

    async def follow(address: str) -> None:
        cursor = None
        async for ws in connect(address, proxy=None, ping_interval=0.1):
            try:
                auth = {"type": "auth", "token": services.token(), "userId": "ana"}
                await ws.send(json.dumps(auth if cursor is None else auth | {"cursor": cursor}))
                async for text in ws:
                    message = json.loads(text)
                    cursor = message.get("cursor", cursor)
                    authenticated.set()
                    if message["type"] == "opportunity_updated":
                        versions.append(message["version"])
            except ConnectionClosed:
                continue

    async with Proxy("127.0.0.1", port) as proxy:
        following = asyncio.create_task(follow(f"ws://127.0.0.1:{proxy.port}/ws"))
        try:
            await authenticated.wait()
            for _ in range(3):
                await _write(database, 4)
                proxy.cut()
                await _write(database, 4)
            await until(lambda: len(versions) == 24, timeout=TIMEOUT)
            await services.stop()
            await _write(database, 4)
            await services.feed()
            await until(lambda: len(versions) == 28, timeout=TIMEOUT)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    assert versions == list(range(2, 30))


@pytest.mark.parametrize("transport", ["sse", "api-events"])
async def test_curl_shows_the_stream_and_resumes(services: Services, database: Database, transport: str) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.fail("needs curl")
    port = await (services.feed() if transport == "sse" else services.api())
    path = "/sse" if transport == "sse" else "/api/events"
    command = [curl, "-sN", "-H", f"Authorization: Bearer {services.token()}", f"http://127.0.0.1:{port}{path}"]

    async def until_read(expected: bytes, *more: str) -> bytes:
        process = await asyncio.create_subprocess_exec(*command, *more, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        text = b""
        try:
            async with asyncio.timeout(TIMEOUT):
                while expected not in text:
                    text += await process.stdout.read(4096)
                    if b"auth_success" in text and not more:
                        more = ("written",)
                        await _write(database, 1)
        finally:
            process.kill()
            await process.wait()
        return text

    first = await until_read(b'"version":2')
    assert first.startswith(b"retry: 2000\n\nevent: auth_success\nid: ")
    cursor = first.rpartition(b"id: ")[2].partition(b"\n")[0].decode()
    await _write(database, 2)
    second = await until_read(b'"version":4', "-H", f"Last-Event-ID: {cursor}")
    assert second.count(b"event: opportunity_updated") == 2
    assert b'"version":2,' not in second
