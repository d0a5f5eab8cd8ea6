"""The table of attacks: what an attacker sends, and what becomes of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import cycle

from feed.system.tasks import end
from tests.bench.wire import hello, masked, upgrade
from tests.hostile.stage import KIB, Attacker
from tests.support.until import until

MOST_SENT = 2 * KIB * KIB
PING_FRAME = b"\x89\xfd" + bytes(4) + 125 * b"x"


def message(**body: object) -> bytes:
    return masked(json.dumps(body).encode())


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "\r\n"]).encode()


def flood(data: bytes) -> Callable[[Attacker], Awaitable[None]]:
    return lambda client: client.flood(data, MOST_SENT)


def then_silence(data: bytes = b"") -> Callable[[Attacker], Awaitable[None]]:
    return lambda client: client.send(data)


def drip(data: bytes) -> Callable[[Attacker], Awaitable[None]]:
    async def run(client: Attacker) -> None:
        reading = asyncio.create_task(client.read())
        for byte in cycle(data):
            await client.send(bytes((byte,)))
            await asyncio.sleep(0.02)
            if reading.done():
                return

    return run


def flood_and_read(data: bytes) -> Callable[[Attacker], Awaitable[None]]:
    async def run(client: Attacker) -> None:
        await asyncio.gather(client.flood(data, MOST_SENT), client.read())

    return run


def grow(make: Callable[[int], bytes]) -> Callable[[Attacker], Awaitable[None]]:
    async def run(client: Attacker) -> None:
        reading = asyncio.create_task(client.read())
        for number in range(300):
            await client.send(make(number))
        await until(lambda: b'"too_many_' in client.received, what="the named error")
        await end(reading)

    return run


@dataclass(frozen=True)
class Attack:
    service: str
    """feed or api."""
    run: Callable[[Attacker], Awaitable[None]]
    upgrade: bool = False
    authenticated: bool = False
    clients: int = 10
    ends: bool = True
    """Whether the service ends the connection. Otherwise the attacker gets errors."""
    named: tuple[bytes, ...] = ()
    """What an attacker that reads receives one of, unless the end of the connection overtakes it."""
    event_size: int = 100
    """Characters of each change meanwhile."""
    behind_proxy: bool = True
    """Whether any of it reaches the service through a proxy, which passes on whole heads of requests, and no /metrics."""


ATTACKS = {
    "ws silent": Attack("feed", then_silence(), upgrade=True, clients=60),
    "ws half a message": Attack(
        "feed", then_silence(b"\x01\xfe\xff\xff\0\0\0\0" + 60 * KIB * b"x"), upgrade=True, clients=60
    ),
    "ws ping frames": Attack("feed", flood(PING_FRAME), upgrade=True),
    "ws ping frames, read": Attack(
        "feed", flood_and_read(PING_FRAME), upgrade=True, clients=3, named=(b"too_fast", b"no_auth")
    ),
    "ws ping frames after auth": Attack("feed", flood(PING_FRAME), upgrade=True, authenticated=True),
    "ws unknown boards after auth": Attack(
        "feed",
        flood(message(type="subscribe", boards=[f"none {n}" for n in range(1000)])),
        upgrade=True,
        authenticated=True,
        ends=False,
    ),
    "ws messages after auth, read": Attack(
        "feed", flood_and_read(message(type="ping")), upgrade=True, authenticated=True, clients=3, named=(b"too_fast",)
    ),
    "ws ever more boards": Attack(
        "feed",
        grow(lambda n: message(type="subscribe", boards=[f"{n} {m}" for m in range(10)])),
        upgrade=True,
        authenticated=True,
        clients=1,
        ends=False,
        named=(b"too_many_boards",),
    ),
    "feed silent": Attack("feed", then_silence(), clients=60, behind_proxy=False),
    "feed half a request": Attack("feed", drip(b"GET /ws HTTP/1.1\r\nX: "), clients=30, behind_proxy=False),
    "feed pipelined": Attack("feed", flood(request("/metrics")), behind_proxy=False),
    "feed sse unread": Attack("feed", flood(request("/sse")), authenticated=True, event_size=100_000),
    "api silent": Attack("api", then_silence(), clients=60, behind_proxy=False),
    "api half a request": Attack("api", drip(b"GET /api/me HTTP/1.1\r\nX: "), clients=30, behind_proxy=False),
    "api pipelined": Attack("api", flood(request("/openapi.json"))),
    "api half a body": Attack(
        "api",
        then_silence(request("/nothing", "Content-Length: 100000", method="POST") + 1000 * b"x"),
        clients=30,
    ),
    "api sse unread": Attack("api", flood(request("/api/events")), authenticated=True, event_size=100_000),
}


async def run(attack: Attack, client: Attacker, port: int, token: str) -> None:
    """Attack on this connection, with the user's token where the attack needs one."""
    if attack.upgrade:
        await client.send(upgrade(port) + (hello("ana", token, boards=["b1"]) if attack.authenticated else b""))
    elif attack.authenticated:
        path = "/sse" if attack.service == "feed" else "/api/events"
        await client.send(request(path, f"Authorization: Bearer {token}"))
    await attack.run(client)
