"""The repository's Caddyfile before two feeds and two APIs, each its own process, on one database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from db.loopback import free_port
from tests.cli.harness import Commands, Service
from tests.support.until import wait_until

CADDY = Path(sys.executable).with_name("caddy")
CADDYFILE = Path(__file__).parents[2] / "deploy" / "Caddyfile"
KINDS = ("feed", "feed", "api", "api")


class Gateway:
    """`port` is what clients know. Each instance keeps its port over a restart."""

    def __init__(self, commands: Commands) -> None:
        self.port = free_port()
        self.commands = commands
        self.ports = [free_port() for _ in KINDS]
        self.services: list[Service] = []
        self._running = [ExitStack() for _ in KINDS]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, number: int) -> Service:
        kind = KINDS[number]
        port = {f"BOARDCAST_{kind.upper()}_PORT": str(self.ports[number])}
        urls = {"BOARDCAST_ORIGINS": self.url, "BOARDCAST_FEED_URL": self.url}
        return self._running[number].enter_context(self.commands.serving(kind, **port, **urls))

    def restart(self, number: int) -> None:
        """As an operator does: SIGTERM, wait for its end, start the next one."""
        self._running[number].close()
        self.services[number] = self.start(number)

    def kill(self, number: int) -> None:
        self.services[number].process.kill()
        self.services[number].process.wait()

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as stack:
            for running in self._running:
                stack.enter_context(running)
            self.services = [self.start(number) for number in range(len(KINDS))]
            stack.enter_context(self._caddy())
            yield

    @contextmanager
    def _caddy(self) -> Iterator[None]:
        addresses = [f"127.0.0.1:{port}" for port in self.ports]
        home = self.commands.folder / "caddy"
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "ADMIN_ADDRESS": "off",
            "SITE_ADDRESS": self.url,
            "FEED_UPSTREAMS": " ".join(addresses[:2]),
            "API_UPSTREAMS": " ".join(addresses[2:]),
        }
        with (self.commands.folder / "log-caddy").open("w") as log:
            process = subprocess.Popen(
                [CADDY, "run", "--config", CADDYFILE, "--adapter", "caddyfile"], env=env, stderr=log, stdout=log
            )
        try:
            wait_until(self._answers, timeout=20, what="Caddy")
            yield
            assert process.poll() is None
        finally:
            process.terminate()
            try:
                process.wait(10)
            finally:
                process.kill()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
