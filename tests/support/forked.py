"""Runs `boardcast` as a child process, like subprocess.Popen, but forked from tests.support.fork_server."""

import atexit
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.fork_server import STATUS

ROOT = Path(__file__).parents[2]


class ForkedProcess(subprocess.Popen[Any]):
    """`boardcast` with these arguments; keyword arguments are those of subprocess.Popen."""

    def __init__(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], **others: Any) -> None:
        self._status, self._child_status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        super().__init__(["boardcast", *arguments], cwd=cwd, env=env, **others)

    # The methods below replace how Popen forks and waits on POSIX.

    def _execute_child(self, args: Any, *others: Any) -> None:
        env, cwd = others[5], others[4]
        p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite = others[9:15]
        request = {"argv": args, "cwd": os.fspath(cwd), "env": dict(env)}
        streams = [p2cread, c2pwrite, errwrite]
        fds = [own if given == -1 else given for own, given in enumerate(streams)]
        try:
            socket.send_fds(_fork_server(), [json.dumps(request).encode()], [*fds, self._child_status.fileno()])
        finally:
            self._child_status.close()
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]
        (self.pid,) = STATUS.unpack(self._status.recv(STATUS.size))

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if wait_flags & os.WNOHANG and not select.select([self._status], [], [], 0)[0]:
            return 0, 0
        (status,) = STATUS.unpack(self._status.recv(STATUS.size))
        self._status.close()
        return self.pid, status

    def _internal_poll(self, *_: object) -> int | None:
        if self.returncode is None:
            pid, status = self._try_wait(os.WNOHANG)
            if pid == self.pid:
                self._handle_exitstatus(status)  # type: ignore[attr-defined]
        return self.returncode


@cache
def _fork_server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BOARDCAST_", "PG"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        cwd=ROOT,
        env=env,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait(10)

    atexit.register(end)
    return ours
