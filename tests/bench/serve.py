"""The feed service alone, as a process: `python -m tests.bench.serve`."""

import asyncio
import signal

import uvloop

from db.settings import Settings
from feed.http.server import FeedServer
from feed.runtime import Runtime
from feed.tokens import Tokens


async def serve() -> None:
    settings = Settings()
    server = FeedServer(settings, Runtime(settings, Tokens(settings)))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start()
    try:
        await stop.wait()
    finally:
        await server.stop()


if __name__ == "__main__":
    uvloop.run(serve())
