"""One feed or API process: started, stopped, killed, frozen; its log lines go into the journal."""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.model import Journal, ServiceLog

ROOT = Path(__file__).parents[3]
SLOW_STOP = 10.0
"""Seconds after which a stop is a verdict."""
_PATIENCE = 60.0
_LINE = 2**20


@dataclass(frozen=True)
class Stop:
    service: str
    seconds: float
    status: int | None


@dataclass(frozen=True)
class Usage:
    """The resources of a process; `age` is its uptime."""

    megabytes: float
    descriptors: int
    age: float


class Service:
    """Invariant: at most one process. `expected` says whether it should run, so that an unexpected exit is detected."""

    def __init__(self, name: str, kind: str, port: int, env: dict[str, str], journal: Journal, bug: str | None) -> None:
        self.name = name
        self.kind = kind
        self.port = port
        self.stops: list[Stop] = []
        self.deaths: list[str] = []
        self.expected = False
        self.started = 0.0
        self.first: Usage | None = None
        """The usage right after the last start, before clients connect."""
        self._env = env
        self._journal = journal
        self._bug = bug
        self._process: asyncio.subprocess.Process | None = None
        self._reading: list[asyncio.Task[None]] = []
        self._ready = asyncio.Event()

    @property
    def address(self) -> str:
        """The address without the clients' proxy."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    async def start(self, extra_env: dict[str, str] | None = None) -> None:
        """Start the process, optionally with extra environment variables; see until_ready()."""
        command = [str(Path(sys.executable).parent / "boardcast")]
        if self._bug is not None:
            command = [sys.executable, "-m", "tests.chaos.bugs.launch"]
        self._ready.clear()
        self._process = process = await asyncio.create_subprocess_exec(
            *command,
            self.kind,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._env | (extra_env or {}) | ({"BUG": self._bug} if self._bug is not None else {}),
            cwd=ROOT,
            limit=_LINE,
            start_new_session=True,
        )
        self.expected, self.started = True, time.monotonic()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                self._reading.append(asyncio.create_task(self._read(stream), name=f"log of {self.name}"))

    async def until_ready(self, timeout: float = _PATIENCE) -> bool:
        """Wait for the line that reports readiness. False if it did not come or the process exited."""
        process = self._process
        if process is None:
            return False
        ready, ended = asyncio.create_task(self._ready.wait()), asyncio.create_task(process.wait())
        await asyncio.wait({ready, ended}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        for task in (ready, ended):
            task.cancel()
        return self._ready.is_set()

    async def bring_up(self, extra_env: dict[str, str] | None = None, timeout: float = _PATIENCE) -> None:
        """Start the process as a supervisor does: again while it exits because its database is unreachable."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            await self.kill()
            await self.start(extra_env)
            if await self.until_ready(deadline - time.monotonic()):
                return
            await asyncio.sleep(0.5)
        raise RuntimeError(f"{self.name} is not ready after {timeout:.0f} s")

    async def stop(self) -> Stop | None:
        """Stop the process with SIGTERM and measure the time; kill it after 30 seconds."""
        if self._process is None:
            return None
        self.expected = False
        started = time.monotonic()
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(30):
                status = await self._process.wait()
        except TimeoutError:
            status = None
        stop = Stop(self.name, time.monotonic() - started, status)
        await self.kill()
        self.stops.append(stop)
        return stop

    async def kill(self) -> None:
        self.expected = False
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await asyncio.gather(*self._reading, return_exceptions=True)
        self._reading.clear()
        self._process = None

    def freeze(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    def check_alive(self) -> None:
        """Record an unexpected exit. A process that was not ready yet may exit for lack of a database."""
        process = self._process
        if self.expected and self._ready.is_set() and process is not None and process.returncode is not None:
            self.expected = False
            self.deaths.append(f"{self.name} exited unexpectedly with status {process.returncode}")

    @property
    def died(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    def usage(self) -> Usage | None:
        """Read /proc; None if the process has no entry."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
            descriptors = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        except (OSError, RuntimeError):
            return None
        kilobytes = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
        return Usage(kilobytes / 1024, descriptors, time.monotonic() - self.started)

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while True:
            try:
                raw = await stream.readline()
            except ValueError:  # a line beyond the limit: its rest is read as another line
                continue
            if not raw:
                return
            line = raw.decode(errors="replace").rstrip("\n")
            if line.startswith("boardcast ready"):
                self._ready.set()
                self.first = self.usage()
            self._journal.logs.append(_parse(self.name, line))


def _parse(service: str, line: str) -> ServiceLog:
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return ServiceLog(time.monotonic(), service, "text", line, line)
    level, event = str(fields.get("level", "")), str(fields.get("event", ""))
    return ServiceLog(time.monotonic(), service, level, event, line, fields)
