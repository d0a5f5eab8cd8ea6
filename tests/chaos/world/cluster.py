"""A primary and its hot standby; a promotion makes the standby the primary."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg

from db.embedded import cluster
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, runnable_binaries
from db.embedded.server import EmbeddedPostgres
from tests.chaos.world.disk import Disk
from tests.chaos.world.links import REPLICATION, Links

SETTINGS = {
    "fsync": "off",  # a process crash loses no written data, only a power failure would
    "max_connections": "150",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "wal_keep_size": "256MB",
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "500ms",
    "max_standby_streaming_delay": "5s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "4000",
    "log_min_messages": "warning",
}


class Cluster:
    """Blocking calls run in threads, since the proxies run in the event loop."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._folder = tempfile.TemporaryDirectory(prefix="boardcast-chaos-")
        Path(self._folder.name).chmod(0o711)
        self._server_count = 0
        self.disks: dict[Path, Disk] = {}
        self.standby: EmbeddedPostgres | None = None
        self.primary = self._server()
        self.primary_up = False
        self.promotions = 0

    def _server(self) -> EmbeddedPostgres:
        self._server_count += 1
        home = Path(self._folder.name, f"server-{self._server_count}").resolve()
        disk = Disk.mount(home)
        if disk is not None:
            self.disks[home] = disk
        return EmbeddedPostgres(home, settings=SETTINGS)

    async def start(self) -> None:
        await asyncio.to_thread(self.primary.start)
        self.primary_up = True
        await self._links.add(REPLICATION, self.primary.port)

    async def start_primary(self) -> None:
        await asyncio.to_thread(self.primary.start)
        self._links.retarget("primary", self.primary.port)
        self.primary_up = True

    async def stop_primary(self, how: str) -> None:
        """Stop the primary: `fast`, `immediate`, or `kill` for SIGKILL."""
        self.primary_up = False
        if how == "kill":
            await asyncio.to_thread(self.primary.kill)
        else:
            await asyncio.to_thread(self.primary.stop, how)

    async def make_standby(self) -> EmbeddedPostgres:
        """Create a standby of the primary, which replicates through a proxy."""
        server = self._server()
        await asyncio.to_thread(self._copy, server.home, self._links[REPLICATION].port)
        await asyncio.to_thread(server.start)
        self.standby = server
        return server

    def _copy(self, home: Path, port: int) -> None:
        account = Account.choose()
        home.mkdir(mode=0o711, exist_ok=True)
        (home / "password").write_text((self.primary.home / "password").read_text())
        data = home / "data"
        data.mkdir(mode=0o700)
        account.own(data)
        address = self.primary.url("").replace(f":{self.primary.port}/", f":{port}/")
        program = runnable_binaries(find_binaries(), account) / "pg_basebackup"
        with (home / "copied").open("wb") as output:
            status = account.spawn(
                [program, "--pgdata", data, "--write-recovery-conf", "--checkpoint=fast", "--dbname", address],
                output=output,
                env=cluster.environment(),
            ).wait()
        if status != 0:
            raise RuntimeError((home / "copied").read_text())

    async def promote(self, on_discard: list[Callable[[str], None]]) -> None:
        """Promote the standby. The old primary is already dead; it is started once more for the hooks, then discarded."""
        old, new = self.primary, self.standby
        if new is None:
            raise RuntimeError("there is no standby to promote")
        await asyncio.to_thread(_promote, new.url())
        self.primary, self.standby = new, None
        self.promotions += 1
        self._links.retarget("primary", new.port)
        self.primary_up = True
        await asyncio.to_thread(_run_discard_hooks, old, on_discard)
        if old.home in self.disks:
            self.disks.pop(old.home).unmount()

    async def stop(self) -> None:
        for server in (self.standby, self.primary):
            if server is not None:
                await asyncio.to_thread(server.stop, "immediate")
        for disk in self.disks.values():
            disk.unmount()
        await asyncio.to_thread(self._folder.cleanup)


def _promote(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute("SELECT pg_promote(true, 30)").fetchone()
        if row != (True,):
            raise RuntimeError("the standby was not promoted in 30 s")


def _run_discard_hooks(old: EmbeddedPostgres, on_discard: list[Callable[[str], None]]) -> None:
    """Start the old primary isolated: no proxy leads to its port."""
    old.start()
    try:
        for hook in on_discard:
            hook(old.url())
    finally:
        old.stop("immediate")
