"""What an earlier server of a data directory may have left: its pid file, itself, or its orphaned child processes.

A pid alone proves nothing, since pids are reused: a process is signaled only if it is seen to serve this very directory.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

POLL = 0.01
"""Seconds between two checks of something that takes a moment."""


def pid_of(data: Path) -> int | None:
    """The pid in the pid file, whether that process is alive or not."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def is_ready(data: Path, pid: int) -> bool:
    """Whether the server `pid` has noted in its pid file that it accepts connections."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def end_earlier(data: Path, *, patience: float = 20.0) -> None:
    """End whatever still serves `data`, and remove its pid file. The caller holds the lock, so nobody else uses it."""
    pid = pid_of(data)
    if pid is not None and serves(pid, data):
        _end(pid, data, patience)
    for orphan in children(data):  # killed: without a postmaster they cannot commit anything
        with suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)
    _wait(lambda: not children(data), patience)
    # If its pid has been reused by another process of this user, PostgreSQL would refuse to start because of the file.
    (data / "postmaster.pid").unlink(missing_ok=True)


def _end(pid: int, data: Path, patience: float) -> None:
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
        if _wait(lambda: not serves(pid, data), patience / 2):
            return
    raise TimeoutError(f"the server {pid} on {data} does not stop")


def _wait(condition: Callable[[], bool], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def serves(pid: int, data: Path) -> bool:
    """Whether the process `pid` was started on this data directory."""
    command = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            arguments = command.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return os.fsencode(data) in arguments
    listed = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return str(data) in listed.stdout


def children(data: Path) -> list[int]:
    """The processes whose working directory is `data`, as that of each server process is; none where /proc is missing."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink() == data and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found
