"""Runs a feed and an API with short timeouts, and Caddy in front of them, as processes."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg

from db.embedded.loopback import free_port
from tests.cli.harness import SECRET, Commands
from tests.deploy.proxies import Addresses, caddy
from tests.hostile.stage import LIMITS, Stage
from tests.support.database import Database
from tests.support.services import PEOPLE_SQL
from tests.support.until import wait_until


@contextmanager
def attacked(database: Database, program: tuple[str | Path, ...] | None = None) -> Iterator[Stage]:
    """Run them on a migrated, empty database; `program` is the command, unless it is forked (see Commands)."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="boardcast-")))
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(PEOPLE_SQL)
        settings = {"DATABASE_URL": database.url, "JWT_SECRET": SECRET, **LIMITS}
        commands = Commands(folder, settings, program=program)
        feed, api, proxy = free_port(), free_port(), free_port()
        feed_service = stack.enter_context(commands.serving("feed", BOARDCAST_FEED_PORT=str(feed)))
        api_service = stack.enter_context(commands.serving("api", BOARDCAST_API_PORT=str(api)))
        addresses = Addresses(proxy, [f"127.0.0.1:{feed}"], [f"127.0.0.1:{api}"])
        proxy_pid = stack.enter_context(_proxying(folder, addresses))
        pids = [feed_service.process.pid, api_service.process.pid]
        yield Stage(database, feed, api, proxy, pids, proxy_pid)


@contextmanager
def _proxying(folder: Path, addresses: Addresses) -> Iterator[int]:
    command = caddy(folder, addresses)
    with (folder / "proxy").open("w") as log:
        env = {"PATH": os.environ["PATH"]} | command.env
        process = subprocess.Popen(command.arguments, env=env, stderr=log, stdout=log)
    try:
        wait_until(lambda: _answers(addresses.port), timeout=20, what="the proxy")
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
