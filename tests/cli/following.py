"""Runs `boardcast log` as a process, to wait for its lines or leave them unread."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.harness import Commands


class LogFollower:
    def __init__(self, process: subprocess.Popen[str], out: Path, err: Path) -> None:
        self.process = process
        self._out = out
        self._err = err

    def lines(self) -> list[dict[str, Any]]:
        """Return the complete lines printed so far."""
        return [json.loads(line) for line in self._out.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def seqs(self) -> list[int]:
        return [line["seq"] for line in self.lines()]

    def messages(self) -> list[str]:
        return self._err.read_text().splitlines()

    def interrupt(self) -> int:
        """Send SIGINT, as Ctrl-C does; return the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@contextmanager
def follow_log(commands: Commands, *arguments: str, **env: str) -> Iterator[LogFollower]:
    commands.started += 1
    out, err = (commands.folder / f"{name}-{commands.started}" for name in ("out", "err"))
    with out.open("w") as stdout, err.open("w") as stderr:
        process = commands.process("log", "--follow", "--json", *arguments, env=env, stdout=stdout, stderr=stderr)
    try:
        yield LogFollower(process, out, err)
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def piped(commands: Commands, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that writes into a pipe."""
    process = commands.process(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
