"""Runs the feed service as a process."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.process import Process
from tests.support.until import until


class Feed(Process):
    def __init__(self, pid: int, port: int) -> None:
        super().__init__(pid)
        self.port = port

    def health(self) -> dict[str, object]:
        """Return the response of /readyz, or nothing if there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                found: dict[str, object] = json.load(answer)
                return found
        except OSError:
            return {}


@asynccontextmanager
async def running(url: str, port: int, secret: str, **settings: str) -> AsyncIterator[Feed]:
    """Run `boardcast feed` while the block runs, with settings such as `notify_mode="always"`."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("BOARDCAST_", "PG"))},
        "DATABASE_URL": url,
        "JWT_SECRET": secret,
        "BOARDCAST_FEED_PORT": str(port),
        "LOG_LEVEL": "warning",
        **{f"BOARDCAST_{name.upper()}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "boardcast", "feed"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.DEVNULL)
    try:
        feed = Feed(process.pid, port)
        await until(lambda: process.returncode is not None or feed.health(), timeout=20, what="the feed to be ready")
        if process.returncode is not None:
            raise RuntimeError(f"the feed exited with status {process.returncode}")
        yield feed
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(20):
            await process.wait()
