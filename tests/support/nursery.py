"""A process that has imported `boardcast` and forks a child for each command: a start costs no imports, which take a second each.

Run as a program with the number of a socket. Each message there is a command, with its standard streams and a socket for its end.
"""

import gc
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import IO

_MOST = 1 << 20
STATUS = struct.Struct("=i")


def serve(control: socket.socket, main: Callable[[], int]) -> None:
    """Fork a child for each message until the socket closes, then kill the children that still run. A child never returns."""
    ends: dict[int, socket.socket] = {}
    woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, _noticed)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                _bury(ends)
            if control in ready:
                message, fds, _, _ = socket.recv_fds(control, _MOST, 4)
                if not message:
                    break
                pid = os.fork()
                if pid == 0:
                    _become(json.loads(message), fds[:3])
                    raise SystemExit(main())
                ends[pid] = socket.socket(fileno=fds[3])
                ends[pid].send(STATUS.pack(pid))
                for fd in fds[:3]:
                    os.close(fd)
    for pid in ends:
        os.kill(pid, signal.SIGKILL)


def _noticed(signum: int, frame: FrameType | None) -> None:
    """A handler that is not the default one, for the wakeup."""


def _bury(ends: dict[int, socket.socket]) -> None:
    while ends:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        end = ends.pop(pid)
        end.send(STATUS.pack(status))
        end.close()


def _become(asked: dict[str, object], streams: list[int]) -> None:
    """Make of this process what a fresh interpreter with these arguments is."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for to, stream in enumerate(streams):
        os.dup2(stream, to)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(asked["env"])  # type: ignore[call-overload]
    time.tzset()
    os.chdir(str(asked["cwd"]))
    sys.argv = list(asked["argv"])  # type: ignore[call-overload]
    sys.stdin, sys.stdout, sys.stderr = _stream(0, "r"), _stream(1, "w"), _stream(2, "w", buffering=1)


def _stream(fd: int, mode: str, *, buffering: int = -1) -> IO[str]:
    return open(fd, mode, buffering, encoding="utf-8", errors="backslashreplace", closefd=False)


if __name__ == "__main__":
    for module in ("api.serve", "cli.follow", "db.demo", "feed.http.server"):
        import_module(module)  # what commands import when they need it
    command = import_module("boardcast")
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])), command.main)
