"""The feed service as a process of its own, and what the operating system says it costs."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.until import until

_TICKS = os.sysconf("SC_CLK_TCK")


class Feed:
    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port

    def cpu(self) -> float:
        """Seconds of processor time so far, in the program and in the kernel for it."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> tuple[float, float]:
        """Resident memory now and at its highest, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return int(lines["VmRSS"].split()[0]) / 1000, int(lines["VmHWM"].split()[0]) / 1000

    def health(self) -> dict[str, object]:
        """What /readyz says; nothing where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                found: dict[str, object] = json.load(answer)
                return found
        except OSError:
            return {}


@asynccontextmanager
async def running(url: str, port: int, secret: str) -> AsyncIterator[Feed]:
    """Run `boardcast feed` until it is left."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("BOARDCAST_", "PG"))},
        "DATABASE_URL": url,
        "JWT_SECRET": secret,
        "BOARDCAST_FEED_PORT": str(port),
        "LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "boardcast", "feed"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.DEVNULL)
    try:
        feed = Feed(process.pid, port)
        await until(lambda: process.returncode is not None or feed.health(), timeout=20, what="the feed to be ready")
        if process.returncode is not None:
            raise RuntimeError(f"the feed ended with status {process.returncode}")
        yield feed
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(20):
            await process.wait()
