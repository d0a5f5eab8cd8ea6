"""The peers: what each runs and how its writers write. The server is one process on its own core, like the feed."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.bench import dialect, load
from tests.bench.dialect import Dialect
from tests.bench.load import Written
from tests.bench.process import Process
from tests.bench.stage import Stage
from tests.support.until import until

_ROOT = Path(__file__).parents[2]
_PROGRAMS = Path(__file__).parent / "peers"
_NODE = (str(_ROOT / ".ci/node"), "node")
_PATIENCE = 30.0


@dataclass
class Serving:
    """A running peer. `beside` is a process that it needs besides the database; its CPU time is reported separately."""

    name: str
    process: Process
    port: int
    dialects: Sequence[Dialect]
    url: str
    program: Sequence[str] = load.PYTHON
    environment: dict[str, str] | None = None
    beside: Process | None = None
    written: int = 0

    @property
    def ours(self) -> bool:
        return self.name == "boardcast"

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds of the server process and of the process beside it."""
        return self.process.cpu(), 0.0 if self.beside is None else self.beside.cpu()

    async def write(self, count: int, rate: int, writers: int) -> list[Written]:
        """Write rows with marks that were not used before."""
        first, self.written = self.written, self.written + count
        return await load.write(
            self.url,
            count=count,
            rate=rate,
            writers=writers,
            first=first,
            program=self.program,
            environment=self.environment,
        )


@asynccontextmanager
async def boardcast(on: Stage) -> AsyncIterator[Serving]:
    async with on.feed() as feed:
        dialects = [dialect.boardcast(user, token) for user, token in on.tokens]
        yield Serving("boardcast", feed, feed.port, dialects, on.url)


@asynccontextmanager
async def stack(on: Stage) -> AsyncIterator[Serving]:
    port, redis_port = _free_port(), _free_port()
    url = _create_schema(on, "stack")
    with tempfile.TemporaryDirectory() as folder:
        options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder, "--loglevel", "warning")
        async with (
            _running("redis-server", "--port", str(redis_port), *options, port=redis_port) as redis,
            _running(*_NODE, _program("stack.mjs"), str(port), str(redis_port), port=port) as serving,
        ):
            yield Serving(
                "stack",
                serving,
                port,
                [dialect.STACK] * len(on.tokens),
                url,
                (*_NODE, _program("stack_write.mjs")),
                {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{redis_port}"},
                redis,
            )


@asynccontextmanager
async def socket_io(on: Stage) -> AsyncIterator[Serving]:
    port, url = _free_port(), _create_schema(on, "socketio")
    async with _running(*_NODE, _program("socketio.mjs"), str(port), url, port=port) as serving:
        dialects = [dialect.SOCKET_IO] * len(on.tokens)
        yield Serving("socket_io", serving, port, dialects, url, (*_NODE, _program("socketio_write.mjs")))


@asynccontextmanager
async def pg_sse(on: Stage) -> AsyncIterator[Serving]:
    port, url = _free_port(), _create_schema(on, "pgsse", "pgsse.sql")
    async with _running(*_python("pgsse"), str(port), url, "pgsse", port=port) as serving:
        yield Serving("pg_sse", serving, port, [dialect.PG_SSE] * len(on.tokens), url)


@asynccontextmanager
async def naive(on: Stage) -> AsyncIterator[Serving]:
    port, url = _free_port(), _create_schema(on, "naive", "naive.sql")
    async with _running(*_python("naive"), str(port), url, port=port) as serving:
        yield Serving("naive", serving, port, [dialect.NAIVE] * len(on.tokens), url)


ALL = (boardcast, stack, socket_io, pg_sse, naive)


def _create_schema(on: Stage, schema: str, *files: str) -> str:
    """Recreate the peer's tables; return the URL to write and read them."""
    with psycopg.connect(on.url, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        for file in ("design.sql", *files):
            conn.execute((_PROGRAMS / file).read_text(encoding="utf-8").replace("{schema}", schema).encode())
    return f"{on.url}?options=-csearch_path%3D{schema}"


@asynccontextmanager
async def _running(*command: str, port: int) -> AsyncIterator[Process]:
    """Run a program that is ready when its port is open."""
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdout=output, stderr=output)
        try:
            await until(lambda: process.returncode is not None or _is_open(port), timeout=_PATIENCE, what=command[-1])
            if process.returncode is not None:
                output.seek(0)
                raise RuntimeError(
                    f"{' '.join(command)} exited with status {process.returncode}: {output.read().decode()}"
                )
            yield Process(process.pid)
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program(name: str) -> str:
    return str(_PROGRAMS / name)


def _python(name: str) -> tuple[str, ...]:
    return (load.PYTHON[0], "-m", f"tests.bench.peers.{name}")
