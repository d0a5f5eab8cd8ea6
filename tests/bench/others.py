"""The clients that are attacked along with a service: what they wait for, at a steady rate, and for how long.

Invariant: a write is due at its time, whatever the ones before it took. Its time runs from then until the last of the clients
has its event, so a delay counts for every write that falls into it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from feed.system.tasks import end
from tests.hostile.stage import Stage
from tests.support.streams import Client, EventStreamClient, WebSocketClient
from tests.support.until import until

_REQUEST = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_BETWEEN_REQUESTS = 0.1


@dataclass
class Times:
    """In milliseconds."""

    events: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    """Of GET /readyz on either service, with a new connection each."""
    refused: int = 0
    """Requests without an answer, or with another one than 200."""


@asynccontextmanager
async def others(stage: Stage) -> AsyncIterator[list[Client]]:
    """A WebSocket and an event stream, and a WebSocket through the proxy."""
    token = stage.token("bruno")
    headers = {"Authorization": f"Bearer {token}"}
    clients = [
        await WebSocketClient.connect(stage.feed, token, "bruno"),
        await EventStreamClient.connect(stage.api, "/api/events", headers=headers),
        await WebSocketClient.connect(stage.proxy, token, "bruno"),
    ]
    try:
        for client in clients:
            await client.next("presence_state")
        yield clients
    finally:
        await asyncio.gather(*(client.close() for client in clients))


async def measure(stage: Stage, clients: list[Client], seconds: float, size: int) -> Times:
    """Write changes of this size, twenty a second, or ten if they are large."""
    times = Times()
    rate = 20 if size < 10_000 else 10
    due: dict[str, float] = {}
    arrived: dict[str, list[float]] = {}
    tasks = [asyncio.create_task(_receive(client, arrived)) for client in clients]
    tasks += [asyncio.create_task(_request(port, times)) for port in (stage.feed, stage.api)]
    try:
        begin = time.monotonic()
        for number in range(int(seconds * rate)):
            at = begin + number / rate
            await asyncio.sleep(max(0, at - time.monotonic()))
            mark = f"{begin}-{number}"
            due[mark] = at
            statement = (
                "UPDATE opportunities SET title = %s, notes = md5(random()::text) || repeat('x', %s) WHERE id = 'o1'"
            )
            await stage.database.execute(statement, [mark, size])
        everywhere = len(clients)
        await until(
            lambda: all(len(arrived.get(mark, ())) == everywhere for mark in due), timeout=20, what="all events"
        )
    finally:
        await end(*tasks)
    times.events = [1000 * (max(arrived[mark]) - at) for mark, at in due.items()]
    return times


async def _receive(client: Client, arrived: dict[str, list[float]]) -> None:
    while True:
        event = await client.next_event(timeout=60)
        arrived.setdefault(event.body["changes"]["title"], []).append(time.monotonic())
        del client.messages[: client._read]  # it keeps all of them for tests
        client._read = 0


async def _request(port: int, times: Times) -> None:
    while True:
        began = time.monotonic()
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(_REQUEST)
                answer = await reader.read()
                writer.close()
        except (OSError, TimeoutError):
            answer = b""
        if answer.startswith(b"HTTP/1.1 200 "):
            times.requests.append(1000 * (time.monotonic() - began))
        else:
            times.refused += 1
        await asyncio.sleep(_BETWEEN_REQUESTS)
