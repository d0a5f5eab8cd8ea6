"""Runs a proxy with the repository's configuration in front of two feeds and two APIs, as processes on one database."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from db.embedded.loopback import free_port
from tests.cli.harness import Commands, Service
from tests.deploy.proxies import Addresses, Proxy
from tests.support.database import Database
from tests.support.until import wait_until

KINDS = ("feed", "feed", "api", "api")
HEARTBEAT = 1.0
PROXY_RECHECK = 1.0
"""Seconds. docs/operations.md says two, to be safe."""


class Gateway:
    """Clients connect to `port`. Each instance keeps its port over a restart."""

    def __init__(self, commands: Commands, proxy: Proxy, database: Database) -> None:
        self.port = free_port()
        self.commands = commands
        self.database = database
        self.ports = [free_port() for _ in KINDS]
        self.services: list[Service] = []
        self._proxy = proxy
        self._running = [ExitStack() for _ in KINDS]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, number: int) -> Service:
        kind = KINDS[number]
        env = {
            f"BOARDCAST_{kind.upper()}_PORT": str(self.ports[number]),
            "BOARDCAST_ORIGINS": self.url,
            "BOARDCAST_FEED_URL": self.url,
            "BOARDCAST_HEARTBEAT_INTERVAL": str(HEARTBEAT),
        }
        return self._running[number].enter_context(self.commands.serving(kind, **env))

    def stop(self, number: int) -> None:
        """Stop an instance as an operator does: SIGTERM, then wait."""
        self._running[number].close()

    def restart(self, number: int) -> None:
        """Restart an instance and give the proxy time to notice it; until then HAProxy may answer 503."""
        self.stop(number)
        self.services[number] = self.start(number)
        time.sleep(PROXY_RECHECK)

    def kill(self, number: int) -> None:
        self.services[number].process.kill()
        self.services[number].process.wait()

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as stack:
            for running in self._running:
                stack.enter_context(running)
            self.services = [self.start(number) for number in range(len(KINDS))]
            stack.enter_context(self._proxying())
            yield

    @contextmanager
    def _proxying(self) -> Iterator[None]:
        instances = [f"127.0.0.1:{port}" for port in self.ports]
        folder = self.commands.folder / "proxy"
        folder.mkdir()
        command = self._proxy(folder, Addresses(self.port, instances[:2], instances[2:]))
        output = folder / "output"
        with output.open("w") as log:
            env = {"PATH": os.environ["PATH"]} | command.env
            process = subprocess.Popen(command.arguments, env=env, stderr=log, stdout=log)
        try:
            wait_until(lambda: self._answers(process), timeout=20, what=str(command.arguments[0]))
            yield
            assert process.poll() is None, output.read_text()
        finally:
            process.terminate()
            try:
                process.wait(10)
            finally:
                process.kill()

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, (self.commands.folder / "proxy" / "output").read_text()
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
