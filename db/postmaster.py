"""What a data directory's earlier server left: its pid file, itself, or its orphaned children.

A pid alone proves nothing (numbers come round again): a process is only ever signalled when it is seen to serve
this very directory.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

POLL = 0.01


def pid_of(data: Path) -> int | None:
    """Name the process that the pid file names, alive or not."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def is_ready(data: Path, pid: int) -> bool:
    """Whether the server `pid` has said in its pid file that it takes connections."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def end_earlier(data: Path, *, patience: float = 20.0) -> None:
    """End whatever still serves `data` and clear its pid file; the caller holds the lock, so nobody wants it."""
    pid = pid_of(data)
    if pid is not None and serves(pid, data):
        _end(pid, data, patience)
    for orphan in children(data):  # killed outright: without a postmaster they can commit nothing
        with suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)
    _wait(lambda: not children(data), patience)
    # Left there, it would keep PostgreSQL from starting if its number is by now another process of this user.
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
    command = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            arguments = command.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return os.fsencode(data) in arguments
    said = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return str(data) in said.stdout


def children(data: Path) -> list[int]:
    """List the processes working inside `data`, where the system can tell: each server process makes it its folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink() == data and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found
