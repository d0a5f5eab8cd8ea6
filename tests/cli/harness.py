"""Runs the real command as a process in its own folder.

The process is forked from one that has already imported the command (tests/support/forked.py), unless `program` is given.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.support.forked import ForkedProcess

COMMAND = Path(sys.executable).with_name("boardcast")
PRODUCT_VARIABLES = ("BOARDCAST_", "DATABASE_URL", "LISTEN_DATABASE_URL", "JWT_", "LOG_", "PG")
READY = re.compile(r"boardcast ready(?: api=(?P<api>\S+))?(?: feed=(?P<feed>\S+))?(?: database=(?P<database>\S+))?\n")
SECRET = "a secret that is long enough for HS256, and for nothing else"


@dataclass
class Service:
    """A service that has printed its ready line."""

    process: subprocess.Popen[str]
    ready_line: str
    seconds: float
    """From the start to the ready line."""
    log: Path
    api: str = ""
    feed: str = ""
    database: str = ""

    def __post_init__(self) -> None:
        match = READY.fullmatch(self.ready_line)
        assert match, self.ready_line
        for name, value in match.groupdict().items():
            setattr(self, name, value or "")

    def stop(self, sign: signal.Signals = signal.SIGTERM, timeout: float = 10.0) -> float:
        """Send a signal; return the seconds until the process has ended."""
        began = time.monotonic()
        self.process.send_signal(sign)
        self.process.wait(timeout)
        return time.monotonic() - began


@dataclass
class Commands:
    """Runs commands in a folder, with only `env` of the product's variables in their environment."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    started: int = 0
    program: tuple[str | Path, ...] | None = None

    def environment(self, **env: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PRODUCT_VARIABLES)}
        return clean | self.env | env

    def run(self, *arguments: str, **env: str) -> CompletedProcess[str]:
        process = self.process(*arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with process:
            try:
                stdout, stderr = process.communicate(timeout=60)
            except BaseException:
                process.kill()
                raise
        return CompletedProcess(process.args, process.returncode, stdout, stderr)

    def process(self, *arguments: str, env: Mapping[str, str] = {}, **options: Any) -> "subprocess.Popen[Any]":
        """Start the command; `options` are those of subprocess.Popen."""
        options = {"text": True, "stdin": subprocess.DEVNULL} | options
        if self.program is None:
            return ForkedProcess(arguments, cwd=self.folder, env=self.environment(**env), **options)
        return subprocess.Popen([*self.program, *arguments], cwd=self.folder, env=self.environment(**env), **options)

    def output(self, *arguments: str, **env: str) -> str:
        """Run a command that must succeed; return its output."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def fails(self, *arguments: str, **env: str) -> tuple[int, str]:
        """Run a command that must fail; return its exit status and its one-line message."""
        done = self.run(*arguments, **env)
        messages = [line for line in done.stderr.splitlines() if not line.startswith("{")]
        assert done.stdout == ""
        assert len(messages) == 1, done.stderr
        assert messages[0].startswith("boardcast: ")
        return done.returncode, messages[0].removeprefix("boardcast: ")

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start a service; it logs to the newest `log-…` in the folder."""
        self.started += 1
        with (self.folder / f"log-{self.started}").open("w") as log:
            return self.process(*arguments, env=env, stdout=subprocess.PIPE, stderr=log)

    @contextmanager
    def serving(self, *arguments: str, **env: str) -> Iterator[Service]:
        """Run a service while the block runs, unless the block stops it."""
        began = time.monotonic()
        process = self.start(*arguments, **env)
        log = self.folder / f"log-{self.started}"
        assert process.stdout is not None
        watchdog = _kill_after(process, 60)
        try:
            ready_line = process.stdout.readline()
            watchdog.cancel()
            assert ready_line, f"it exited with status {process.wait(5)}: {log.read_text()}"
            yield Service(process, ready_line, time.monotonic() - began, log)
            if process.poll() is None:
                process.terminate()
                assert process.wait(15) == 0, log.read_text()
        finally:
            watchdog.cancel()
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()


def _kill_after(process: subprocess.Popen[str], seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    return timer
