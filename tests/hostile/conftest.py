"""Attackers on real sockets. Some tests look into a service in their own process, others measure services that run as processes."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from db.embedded.loopback import free_port
from db.embedded.server import EmbeddedPostgres
from tests.cli.harness import SECRET, Commands
from tests.contract.conftest import database, services, services_and_database, shared_services, transport
from tests.deploy.proxies import Addresses, caddy
from tests.hostile.stage import LIMITS, Stage
from tests.support.database import cloned
from tests.support.services import PEOPLE_SQL
from tests.support.until import wait_until

__all__ = ["database", "services", "services_and_database", "shared_services", "transport"]


@pytest.fixture(scope="module")
def stage(server: EmbeddedPostgres, template: str) -> Iterator[Stage]:
    """A feed and an API with short timeouts, reached directly and through Caddy."""
    with ExitStack() as stack:
        database = stack.enter_context(cloned(server, template))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="boardcast-")))
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(PEOPLE_SQL)
        commands = Commands(folder, {"DATABASE_URL": database.url, "JWT_SECRET": SECRET, **LIMITS})
        feed, api, proxy = free_port(), free_port(), free_port()
        feed_service = stack.enter_context(commands.serving("feed", BOARDCAST_FEED_PORT=str(feed)))
        api_service = stack.enter_context(commands.serving("api", BOARDCAST_API_PORT=str(api)))
        addresses = Addresses(proxy, [f"127.0.0.1:{feed}"], [f"127.0.0.1:{api}"])
        stack.enter_context(_proxying(folder, addresses))
        yield Stage(database, feed, api, proxy, [feed_service.process.pid, api_service.process.pid])


@contextmanager
def _proxying(folder: Path, addresses: Addresses) -> Iterator[None]:
    command = caddy(folder, addresses)
    with (folder / "proxy").open("w") as log:
        env = {"PATH": os.environ["PATH"]} | command.env
        process = subprocess.Popen(command.arguments, env=env, stderr=log, stdout=log)
    try:
        wait_until(lambda: _answers(addresses.port), timeout=20, what="the proxy")
        yield
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
