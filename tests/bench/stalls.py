"""Measures how long a busy service delays others: the response times of a trivial request."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.until import until

_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_BETWEEN = 0.01


@asynccontextmanager
async def stalls(port: int) -> AsyncIterator[list[float]]:
    """Send a hundred requests per second while the block runs; yield their response times in ms."""
    durations: list[float] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send_requests() -> None:
        while True:
            begin = time.monotonic()
            writer.write(_REQUEST)
            await reader.readuntil(b'{"status": "ok"}')
            durations.append(1000 * (time.monotonic() - begin))
            await asyncio.sleep(_BETWEEN)

    requests = asyncio.create_task(send_requests(), name="stalls")
    try:
        await until(lambda: durations or requests.done(), what="the first response")
        yield durations
        if requests.done():
            requests.result()
    finally:
        requests.cancel()
        await asyncio.gather(requests, return_exceptions=True)
        writer.close()
