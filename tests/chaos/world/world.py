"""The world of a run: starts everything, and has its addresses and state."""

import asyncio
import os
import random
import time
from collections.abc import Callable

import jwt

from db import migrate
from db.embedded import loopback
from db.embedded.server import EmbeddedPostgres
from tests.chaos.model import Endpoint, Journal
from tests.chaos.world import schema
from tests.chaos.world.canary import Canary, Probe
from tests.chaos.world.cluster import Cluster
from tests.chaos.world.links import WRITERS, Links
from tests.chaos.world.service import Service

_SECRET = "a secret that is long enough for HS256, and for nothing else"
_SETTINGS = {
    "JWT_SECRET": _SECRET,
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "info",
    "BOARDCAST_HEARTBEAT_INTERVAL": "3",
    "BOARDCAST_CHECKPOINT_INTERVAL": "3",
    "BOARDCAST_DRAIN_TIMEOUT": "5",
    "BOARDCAST_MAX_USER_CONNECTIONS": "100",
}
_KINDS = {"feed-1": "feed", "feed-2": "feed", "feed-3": "feed", "api-1": "api", "api-2": "api"}
_STANDBY_READERS = ("feed-2", "feed-3", "api-2")
"""The services that read the log on the standby."""
_EXTRA_SETTINGS = {
    "feed-2": {"BOARDCAST_RESYNC_THRESHOLD": "2000"},
    "feed-3": {"BOARDCAST_RESYNC_THRESHOLD": "1000", "BOARDCAST_CHUNK_ROWS": "200"},
    "api-1": {"BOARDCAST_RESYNC_THRESHOLD": "2000"},
}
"""Some services send statements of 5,000 rows as events, others as a resync."""
_CLEARED = ("BOARDCAST_", "DATABASE_URL", "LISTEN_DATABASE_URL", "JWT_", "LOG_LEVEL", "LOG_FORMAT", "PG", "BUG")


class World:
    """Implements tests.chaos.model.World."""

    def __init__(self, seed: int, journal: Journal, *, bug: str | None = None) -> None:
        self.seed = seed
        self.journal = journal
        self.users = list(schema.USERS)
        self.boards = list(schema.BOARDS)
        self.on_discard: list[Callable[[str], None]] = []
        self.links = Links()
        self.cluster = Cluster(self.links)
        self.services: dict[str, Service] = {}
        self.canary = Canary()
        self.probes: dict[str, Probe] = {}
        self.answers: list[tuple[float, float, str, int]] = []
        """The API's responses to writers: time of the request and of the response, what was requested, status."""
        self._bug = bug
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def log_dsn(self) -> str:
        return self.primary_dsn()

    def primary_dsn(self) -> str:
        return self.cluster.primary.url()

    def writers_dsn(self) -> str:
        """The primary through the writers' proxy."""
        return _through(self.cluster.primary, self.links[WRITERS].port)

    def endpoints(self) -> list[Endpoint]:
        found = []
        for name, service in self.services.items():
            address = f"127.0.0.1:{self.links[f'clients -> {name}'].port}"
            if service.kind == "feed":
                found.append(Endpoint(name, feed_ws=f"ws://{address}/ws", feed_sse=f"http://{address}/sse"))
            else:
                found.append(Endpoint(name, api=f"http://{address}"))
        return found

    def token(self, user: str) -> str:
        now = int(time.time())
        claims = {"sub": user, "name": user.title(), "iat": now, "exp": now + 24 * 3600}
        return jwt.encode(claims, _SECRET, algorithm="HS256")

    @property
    def disturbed(self) -> bool:
        """Whether a fault is active."""
        return bool(self.journal.active())

    def pick(self, rng: random.Random) -> Service:
        return self.services[rng.choice(sorted(self.services))]

    async def start(self, prepare: Callable[[str], None] | None = None) -> None:
        """Start everything; `prepare` gets the migrated database before it has rows."""
        await self.cluster.start()
        await asyncio.to_thread(migrate.upgrade, self.primary_dsn())
        if prepare is not None:
            await asyncio.to_thread(prepare, self.primary_dsn())
        await asyncio.to_thread(schema.fill, self.primary_dsn())
        standby = await self.cluster.make_standby()
        await self.links.add(WRITERS, self.cluster.primary.port)
        for name in _KINDS:
            await self._add_service(name, standby)
        ready = await asyncio.gather(*(service.until_ready() for service in self.services.values()))
        if not all(ready):
            lines = [log.line for log in self.journal.logs[-20:]]
            raise RuntimeError("services did not start:\n" + "\n".join(lines))
        self._tasks.append(asyncio.create_task(self.canary.run(self.primary_dsn), name="canary"))
        for name, service in self.services.items():
            probe = self.probes[name] = Probe(service, self.token(schema.PROBE))
            self._tasks.append(asyncio.create_task(probe.run(), name=f"probe of {name}"))

    async def _add_service(self, name: str, standby: EmbeddedPostgres) -> None:
        kind, port = _KINDS[name], loopback.free_port()
        primary = await self.links.add(f"{name} -> primary", self.cluster.primary.port)
        env = {key: value for key, value in os.environ.items() if not key.startswith(_CLEARED)}
        env |= _SETTINGS | _EXTRA_SETTINGS.get(name, {})
        env |= {
            f"BOARDCAST_{kind.upper()}_PORT": str(port),
            "DATABASE_URL": _through(self.cluster.primary, primary.port),
        }
        if name in _STANDBY_READERS:
            replica = await self.links.add(f"{name} -> standby", standby.port)
            env["BOARDCAST_REPLICA_URL"] = _through(standby, replica.port)
        service = self.services[name] = Service(name, kind, port, env, self.journal, self._bug)
        await self.links.add(f"clients -> {name}", port)
        await service.start()

    async def new_standby(self) -> None:
        """Create a new standby after a promotion, and point the services to it."""
        standby = await self.cluster.make_standby()
        self.links.retarget("standby", standby.port)

    async def recovered(self, timeout: float) -> dict[str, float]:
        """Wait until each service has sent a canary written from now on, and return the seconds it took, by service."""
        started, wanted = time.monotonic(), self.canary.number + 1
        took: dict[str, float] = {}
        while len(took) < len(self.probes) and time.monotonic() < started + timeout:
            for name, probe in self.probes.items():
                if name not in took and probe.number >= wanted:
                    took[name] = probe.at - started
            await asyncio.sleep(0.1)
        return took

    async def stop_canary(self) -> None:
        """Stop the canary and its probes, so that nothing changes during the checks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop_services(self) -> None:
        """Stop the services, but not the database."""
        await asyncio.gather(*(service.stop() for service in self.services.values()))

    async def stop(self) -> None:
        """Stop everything."""
        await self.stop_canary()
        await asyncio.gather(*(service.kill() for service in self.services.values()))
        await self.links.stop()
        await self.cluster.stop()


def _through(server: EmbeddedPostgres, port: int) -> str:
    return server.url().replace(f":{server.port}/", f":{port}/")
