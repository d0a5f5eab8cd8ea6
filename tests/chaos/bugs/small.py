"""A short run without faults, on one service process and its own database, for the detection of seeded bugs."""

import asyncio
import os
import random
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import jwt

from tests.chaos.bugs.bug import Bug
from tests.chaos.bugs.workload import BOARDS, USERS, Workload, fill
from tests.chaos.checker.checker import Checker
from tests.chaos.clients.client import Client
from tests.chaos.clients.profile import POLL, SSE_API, SSE_FEED, TRANSPORTS, WEBSOCKET, WEBSOCKET_BATCH, Profile
from tests.chaos.clients.target import Target
from tests.chaos.model import Endpoint, Journal, Verdict

ROOT = Path(__file__).parents[3]
SILENCE = 6.0
_SECRET = "a secret that is long enough for HS256, and for nothing else"
_SETTINGS = {
    "JWT_SECRET": _SECRET,
    "LOG_LEVEL": "warning",
    "BOARDCAST_API_PORT": "0",
    "BOARDCAST_FEED_PORT": "0",
    "BOARDCAST_HEARTBEAT_INTERVAL": "1",
    "BOARDCAST_CHECKPOINT_INTERVAL": "1",
    "BOARDCAST_MAX_USER_CONNECTIONS": "100",
}
_CLEARED = ("BOARDCAST_", "DATABASE_URL", "LISTEN_DATABASE_URL", "JWT_", "LOG_", "PG", "BUG")
_PATIENCE = 90.0


class SmallWorld:
    """A `World` of tests/chaos/model.py with one service process."""

    def __init__(self, dsn: str, seed: int) -> None:
        self.journal = Journal()
        self.users = list(USERS)
        self.boards = list(BOARDS)
        self.seed = seed
        self.on_discard: list[Callable[[str], None]] = []
        self._dsn = dsn
        self._feed = ""
        self._api = ""

    @property
    def log_dsn(self) -> str:
        return self._dsn

    def primary_dsn(self) -> str:
        return self._dsn

    def endpoints(self) -> list[Endpoint]:
        ws = self._feed.replace("http://", "ws://")
        return [Endpoint("feed", feed_ws=f"{ws}/ws", feed_sse=f"{self._feed}/sse"), Endpoint("api", api=self._api)]

    def token(self, user: str) -> str:
        now = int(time.time())
        return jwt.encode(
            {"sub": user, "name": user.title(), "iat": now, "exp": now + 3600}, _SECRET, algorithm="HS256"
        )

    @asynccontextmanager
    async def serving(self, bug: Bug | None) -> AsyncIterator[None]:
        env = {key: value for key, value in os.environ.items() if not key.startswith(_CLEARED)}
        env |= _SETTINGS | {"DATABASE_URL": self._dsn} | ({} if bug is None else {"BUG": bug.name})
        module = "boardcast" if bug is None else "tests.chaos.bugs.launch"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, "up", "--no-demo", cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                while not (ready := re.search(r"boardcast ready api=(\S+) feed=(\S+)", await _line(process))):
                    pass
            self._api, self._feed = ready.groups()
            yield
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> str:
    line = await process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise RuntimeError("the service exited before it was ready")
    return line.decode()


async def run(
    dsn: str, bug: Bug | None, *, seed: int, seconds: float, settle: float, event: str | None
) -> list[Verdict]:
    """Write while clients read, let them settle, and return the verdicts."""
    world = SmallWorld(dsn, seed)
    checker = Checker(world)
    await asyncio.to_thread(checker.install)
    await asyncio.to_thread(fill, dsn)
    rng = random.Random(seed)
    async with world.serving(bug):
        clients = _clients(world, rng)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for client in clients:
                tasks.create_task(client.run(stop))
            await Workload(dsn, world.journal, rng).run(seconds, event)
            await asyncio.gather(*(client.settle(settle) for client in clients))
            stop.set()
    return await asyncio.to_thread(checker.verdicts)


def _clients(world: SmallWorld, rng: random.Random) -> list[Client]:
    target = Target(world, random.Random(rng.random()))
    profiles = [
        Profile("ws", "ana", (WEBSOCKET,), stay=1.0),
        Profile("batch", "bruno", (WEBSOCKET_BATCH,), stay=1.5, offline=0.3),
        Profile("sse", "carla", (SSE_FEED,), stay=1.5),
        Profile("api", "carla", (SSE_API,)),
        Profile("steady", "bruno", (WEBSOCKET,)),
        Profile("some", "ana", (WEBSOCKET, SSE_FEED), stay=2.0, wanted=frozenset({"b1"})),
        Profile("hop", "ana", TRANSPORTS, stay=0.7),
        Profile("poll", "bruno", (POLL,)),
        Profile("snapshots", "ana", (SSE_API,), stay=1.5, snapshots=5),
    ]
    return [Client(world, world.journal, each, random.Random(rng.random()), target, SILENCE) for each in profiles]
