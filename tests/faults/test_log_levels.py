"""Faults of clients and of the network are never logged at error level or with a traceback."""

import asyncio
import contextlib
import json
import random
import socket
import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from db.embedded.server import EmbeddedPostgres
from feed.access.tokens import Tokens
from tests.bench.wire import hello, upgrade
from tests.cli.harness import SECRET, Commands, Service
from tests.support.database import Database, cloned
from tests.support.services import PEOPLE_SQL
from tests.support.until import until

RESET = struct.pack("ii", 1, 0)
FAULTS = {"error", "critical"}


def lines(log: Path, after: int = 0) -> list[dict[str, Any]]:
    """The log lines after a byte offset. A line that is not JSON would be a traceback or a print."""
    return [json.loads(line) for line in log.read_text()[after:].splitlines()]


class Target:
    """A running service and ways to send it faulty requests."""

    def __init__(self, service: Service, database: Database) -> None:
        self.service = service
        self.database = database
        self.feed = urlsplit(service.feed).port or 0
        self.api = urlsplit(service.api).port or 0
        self._tokens = Tokens(database.settings(jwt_secret=SECRET))
        self.log_offset = len(service.log.read_text())

    def token(self, user: str = "ana") -> str:
        return self._tokens.issue(user, user.title(), 600, ["dba"])

    def request(self, port: int, path: str, method: str = "GET", **headers: str) -> bytes:
        given = {"Host": f"127.0.0.1:{port}", "Authorization": f"Bearer {self.token()}"} | headers
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode()

    async def cut(self, port: int, data: bytes, *, wait: float = 0.0, read: bool = False, reset: bool = True) -> None:
        """Send data, optionally read some, then drop the connection."""
        loop = asyncio.get_running_loop()
        with socket.socket() as sock, contextlib.suppress(ConnectionError, TimeoutError):
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", port))
            await loop.sock_sendall(sock, data)
            if wait:
                await asyncio.sleep(wait)
            if read:
                async with asyncio.timeout(2):
                    await loop.sock_recv(sock, 100)
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    async def check_alive(self) -> None:
        """Check that both services still answer, and so have handled what was sent before."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            for port in (self.feed, self.api):
                assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200

    def check_no_fault_logged(self) -> list[dict[str, Any]]:
        """Check that no fault was logged, and return the log lines."""
        found = lines(self.service.log, self.log_offset)
        assert [line for line in found if line["level"] in FAULTS or "exception" in line] == []
        return found


def environment(database: Database) -> dict[str, str]:
    return {
        "DATABASE_URL": database.url,
        "JWT_SECRET": SECRET,
        "BOARDCAST_FEED_PORT": "0",
        "BOARDCAST_API_PORT": "0",
        "BOARDCAST_DRAIN_TIMEOUT": "1",
        "BOARDCAST_CLIENT_BUDGET": "65536",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "debug",
    }


@pytest.fixture(scope="module")
def running(
    server: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Database]]:
    with cloned(server, template) as database:
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(PEOPLE_SQL.encode())
        with Commands(tmp_path_factory.mktemp("service"), environment(database)).serving("up") as service:
            yield service, database


@pytest.fixture
def target(running: tuple[Service, Database]) -> Target:
    return Target(*running)


def streams_and_requests(target: Target) -> list[tuple[int, bytes]]:
    feed, api = target.feed, target.api
    body = b'{"title":"x"}'
    headers = {"Content_Type": "application/json", "If_Match": "*", "Content_Length": "13"}
    patch = target.request(api, "/api/opportunities/o1", "PATCH", **headers)
    return [
        (feed, upgrade(feed)),
        (feed, upgrade(feed) + hello("ana", target.token())),
        (feed, target.request(feed, "/sse")),
        (feed, target.request(feed, "/metrics")),
        (feed, target.request(feed, "/ws", "POST", Content_Length="100000") + b"x" * 500),
        (api, target.request(api, "/api/events")),
        (api, target.request(api, "/api/trigger-log/stream")),
        (api, target.request(api, "/api/boards/b1")),
        (api, target.request(api, "/api/flags?known=websocket")),
        (api, patch + body),
        (api, patch.replace(b": 13\r\n", b": 9999\r\n") + body),
        (api, target.request(api, "/metrics")),
        (api, target.request(api, "/")),
    ]


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
async def test_connections_cut_at_any_moment_log_no_error(target: Target, reset: bool) -> None:
    choose = random.Random(7)
    for port, request in streams_and_requests(target):
        parts = [request[: choose.randrange(len(request))] for _ in range(3)] + [request] * 6 + [3 * request]
        waits = [0.0, 0.0, 0.001, 0.003, 0.01, 0.03]
        await asyncio.gather(
            *(target.cut(port, part, wait=choose.choice(waits), reset=reset) for part in parts),
            *(target.cut(port, request, read=True, reset=reset) for _ in range(3)),
        )
    await target.check_alive()
    target.check_no_fault_logged()


TOKEN = b"a-token-that-must-not-be-logged"
MALFORMED = {
    "token and nul": b"GET /sse HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TOKEN + b"\0\r\n\r\n",
    "token in no header": b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization Bearer " + TOKEN + b"\r\n\r\n",
    "token in a bad path": b"GET /sse?ticket=" + TOKEN + b"\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "token in no method": TOKEN + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "token in a bad upgrade": (
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: " + TOKEN + b"\r\nSec-WebSocket-Protocol: " + TOKEN + b"\r\n\r\n"
    ),
    "token expected": b"GET / HTTP/1.1\r\nHost: x\r\nExpect: " + TOKEN + b"\xff\r\n\r\n",
    "nothing": b"\r\n\r\n",
    "garbage": bytes(range(256)) * 4,
    "tls": bytes.fromhex("16030100a5010000a10303") + bytes(160),
    "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(30),
    "version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "method": b"SURELY / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "header": b"GET / HTTP/1.1\r\nHost x\r\n: y\r\n\r\n",
    "nul": b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    "nul path": b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "latin1 path": "GET /é?x=é HTTP/1.1\r\nHost: x\r\nCookie: é=é\r\n\r\n".encode("latin-1"),
    "absolute": b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "huge header": b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 300_000 + b"\r\n\r\n",
    "huge path": b"GET /" + b"x" * 300_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: x\r\n" * 10_000 + b"\r\n",
    "chunk": b"POST /api/auth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n",
    "chunk on ws": b"POST /ws HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n",
    "length": b"POST /api/auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "both lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip": b"POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\nxxxxx",
    "expect": b"POST /api/auth/token HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\n",
    "no key": b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "bad key": (
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: x\r\n\r\n"
    ),
    "version 8": (
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ),
    "h2c": b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: x\r\n\r\n",
    "connect": b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n" + bytes(50),
    "trace": b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "options": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "pipelined nonsense": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\0\1\2\r\n\r\n",
    "upgrade and nonsense": b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\0\1\2\r\n\r\n",
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_malformed_requests_are_debug_lines_without_a_secret(target: Target, kind: str) -> None:
    for port in (target.feed, target.api):
        for reset in (True, False):
            await target.cut(port, MALFORMED[kind], read=True, reset=reset)
            await target.cut(port, MALFORMED[kind], wait=0.01, reset=reset)
    await target.check_alive()
    found = target.check_no_fault_logged()
    assert {line["level"] for line in found if line["event"] == "malformed request"} <= {"debug"}
    assert not [line for line in found if line["level"] == "warning"]
    assert TOKEN.decode() not in target.service.log.read_text()


FRAMES = {
    "half a frame": b"\x81\xfe\x10",
    "reserved bits": b"\xff\xff nonsense",
    "no text": b"\x81\x82\0\0\0\0\xff\xfe",
    "long ping": b"\x89\xfe\x01\x00" + bytes(4) + bytes(256),
    "huge": b"\x81\xff" + b"\x7f" * 8 + bytes(4) + b"x" * 100,
    "close twice": b"\x88\x80\0\0\0\0" * 2,
    "close with a bad code": b"\x88\x82\0\0\0\0\0\1",
    "binary": b"\x82\x81\0\0\0\0x",
    "no json": b"\x81\x81\0\0\0\0x",
    "unmasked": b"\x81\x01x",
}


@pytest.mark.parametrize("kind", FRAMES)
async def test_invalid_frames_log_no_error(target: Target, kind: str) -> None:
    for opening in (upgrade(target.feed), upgrade(target.feed) + hello("ana", target.token())):
        for reset in (True, False):
            await target.cut(target.feed, opening + FRAMES[kind], reset=reset)
            await target.cut(target.feed, opening + FRAMES[kind], read=True, wait=0.05, reset=reset)
    await target.check_alive()
    target.check_no_fault_logged()


STREAMS = {"/sse": "feed", "/api/events": "api", "/api/trigger-log/stream": "api", "/ws": "feed"}


@pytest.mark.parametrize("path", STREAMS)
async def test_a_dropped_slow_stream_logs_no_error(target: Target, path: str) -> None:
    port = target.feed if STREAMS[path] == "feed" else target.api
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        opening = upgrade(port) + hello("ana", target.token()) if path == "/ws" else target.request(port, path)
        await loop.sock_sendall(sock, opening)
        await loop.sock_recv(sock, 12)

        async def dropped() -> bool:
            # No UPDATE: a slow client gets only the newest state of each row.
            await target.database.execute(
                "INSERT INTO opportunities (id, board_id, notes)"
                " SELECT gen_random_uuid()::text, 'b1', repeat('x', 100000) FROM generate_series(1, 5)"
            )
            return any(line["event"] == "slow client dropped" for line in lines(target.service.log, target.log_offset))

        await until(dropped, timeout=20, what="the service to drop the client")

        def gone() -> bool:
            try:
                while sock.recv(65536):
                    pass
            except BlockingIOError:
                return False
            except ConnectionError:
                pass
            return True

        await until(gone, what="the connection to be cut")
    await target.check_alive()
    target.check_no_fault_logged()


async def test_terminated_backends_log_no_error(target: Target) -> None:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{target.api}", headers={"Authorization": f"Bearer {target.token()}"}, timeout=15
    ) as client:
        streams = [
            asyncio.create_task(target.cut(port, request, wait=4))
            for port, request in streams_and_requests(target)
            if b"events" in request or b"stream" in request or b"sse" in request or b"/ws" in request
        ]
        done = asyncio.Event()
        requests = [asyncio.create_task(_send_requests(client, done)) for _ in range(8)]
        for _ in range(20):
            await target.database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.1)
        done.set()
        statuses = {status for answers in await asyncio.gather(*requests) for status in answers}
        assert statuses <= {200, 503}
        assert 503 in statuses
        await asyncio.gather(*streams)

        async def recovered() -> bool:
            return (await client.get("/api/boards/b1")).status_code == 200

        await until(recovered, timeout=15)
    target.check_no_fault_logged()


async def _send_requests(client: httpx.AsyncClient, done: asyncio.Event) -> set[int]:
    """Send requests until the event is set; return the statuses of the responses."""
    statuses: set[int] = set()
    for n in count():
        if done.is_set():
            break
        read = client.get("/api/boards/b1/presence") if n % 2 else client.get("/api/trigger-log")
        write = client.patch("/api/opportunities/o1", json={"title": str(n)}, headers={"If-Match": "*"})
        statuses |= {answer.status_code for answer in await asyncio.gather(read, write)}
    return statuses
