"""How long a service leaves others waiting while it is busy: the time to answer a request that costs next to nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.until import until

_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_BETWEEN = 0.01


@asynccontextmanager
async def stalls(port: int) -> AsyncIterator[list[float]]:
    """Ask a hundred times a second, while the `with` lasts; the times that answers took, in ms."""
    took: list[float] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask() -> None:
        while True:
            begin = time.monotonic()
            writer.write(_REQUEST)
            await reader.readuntil(b'{"status": "ok"}')
            took.append(1000 * (time.monotonic() - begin))
            await asyncio.sleep(_BETWEEN)

    asking = asyncio.create_task(ask(), name="stalls")
    try:
        await until(lambda: took or asking.done(), what="the first answer")
        yield took
        if asking.done():
            asking.result()
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        writer.close()
