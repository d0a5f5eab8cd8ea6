"""The real command, as its own process, in a folder of its own.

It is forked from one that has imported it already (tests/support/forked.py); `program` names another to be started instead.
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

from tests.support.forked import Forked

COMMAND = Path(sys.executable).with_name("boardcast")
FOREIGN = ("BOARDCAST_", "DATABASE_URL", "LISTEN_DATABASE_URL", "JWT_", "LOG_", "PG")
READY = re.compile(r"boardcast ready(?: api=(?P<api>\S+))?(?: feed=(?P<feed>\S+))?(?: database=(?P<database>\S+))?\n")
SECRET = "a secret that is long enough for HS256, and for nothing else"


@dataclass
class Service:
    """One that has said that it is ready."""

    process: subprocess.Popen[str]
    said: str
    seconds: float
    """From its start to the ready line."""
    log: Path
    api: str = ""
    feed: str = ""
    database: str = ""

    def __post_init__(self) -> None:
        match = READY.fullmatch(self.said)
        assert match, self.said
        for name, value in match.groupdict().items():
            setattr(self, name, value or "")

    def stop(self, sign: signal.Signals = signal.SIGTERM, timeout: float = 10.0) -> float:
        """Send a signal; the seconds until the process has ended."""
        began = time.monotonic()
        self.process.send_signal(sign)
        self.process.wait(timeout)
        return time.monotonic() - began


@dataclass
class Commands:
    """Runs commands in a folder, with nothing of ours in their environment but `env`."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    started: int = 0
    program: tuple[str | Path, ...] | None = None

    def environment(self, **env: str) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return ours | self.env | env

    def run(self, *arguments: str, **env: str) -> CompletedProcess[str]:
        process = self.process(*arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with process:
            try:
                stdout, stderr = process.communicate(timeout=60)
            except BaseException:
                process.kill()
                raise
        return CompletedProcess(process.args, process.returncode, stdout, stderr)

    def process(self, *arguments: str, env: Mapping[str, str] = {}, **others: Any) -> "subprocess.Popen[Any]":
        """Start the command; `others` are subprocess.Popen's."""
        others = {"text": True, "stdin": subprocess.DEVNULL} | others
        if self.program is None:
            return Forked(arguments, cwd=self.folder, env=self.environment(**env), **others)
        return subprocess.Popen([*self.program, *arguments], cwd=self.folder, env=self.environment(**env), **others)

    def output(self, *arguments: str, **env: str) -> str:
        """What a command that must succeed prints."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def fails(self, *arguments: str, **env: str) -> tuple[int, str]:
        """Run what must fail; its exit status and the one line it says."""
        done = self.run(*arguments, **env)
        said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
        assert done.stdout == ""
        assert len(said) == 1, done.stderr
        assert said[0].startswith("boardcast: ")
        return done.returncode, said[0].removeprefix("boardcast: ")

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start a service; what it logs is in the newest `log-…` of the folder."""
        self.started += 1
        with (self.folder / f"log-{self.started}").open("w") as log:
            return self.process(*arguments, env=env, stdout=subprocess.PIPE, stderr=log)

    @contextmanager
    def serving(self, *arguments: str, **env: str) -> Iterator[Service]:
        """Run a service for as long as the block, unless the block ends it itself."""
        began = time.monotonic()
        process = self.start(*arguments, **env)
        log = self.folder / f"log-{self.started}"
        assert process.stdout is not None
        watchdog = _kill_after(process, 60)
        try:
            said = process.stdout.readline()
            watchdog.cancel()
            assert said, f"it ended with {process.wait(5)}: {log.read_text()}"
            yield Service(process, said, time.monotonic() - began, log)
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
