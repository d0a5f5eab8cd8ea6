"""1,000 WebSocket clients and no writes. Check: all clients are still connected at the end."""

import asyncio
import time
from collections.abc import Callable

from tests.bench.cores import apart
from tests.bench.figure import Figure
from tests.bench.stage import Stage

READERS = 1000
SETTLE = 2.0


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    seconds = on.lasting(10)
    async with on.feed() as feed, on.readers(READERS) as readers:
        with apart(feed.pid):
            await asyncio.sleep(SETTLE)  # work left over from connecting is not idling
            say(f"{READERS} clients, {seconds} s of silence")
            cpu, begin = feed.cpu(), time.monotonic()
            await asyncio.sleep(seconds)
            used, took = feed.cpu() - cpu, time.monotonic() - begin
        memory, _ = feed.memory()
        if any(reader.lost for reader in readers):
            raise RuntimeError("a client was lost")
    return [
        Figure(
            "idle",
            f"{READERS:,} idle clients: the feed's share of a core",
            100 * used / took,
            "%",
            1,
            more=False,
            detail={"memory_mb": memory},
        )
    ]
