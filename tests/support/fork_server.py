"""Forks a child for each command from a process that has imported `boardcast`, because the imports take a second.

Runs as a program whose argument is a socket's file descriptor. Each message on it is a command, with its standard streams and a
socket for its pid and exit status.
"""

import atexit
import gc
import json
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import IO, NoReturn

from feed.system.process import freeze_gc

_MAX_MESSAGE = 1 << 20
STATUS = struct.Struct("=i")


def serve(control: socket.socket, main: Callable[[], int]) -> None:
    """Fork a child for each message until the socket closes, then kill the children that still run. A child never returns."""
    status_sockets: dict[int, socket.socket] = {}
    woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, _ignore_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                _reap(status_sockets)
            if control in ready:
                message, fds, _, _ = socket.recv_fds(control, _MAX_MESSAGE, 4)
                if not message:
                    break
                pid = os.fork()
                if pid == 0:
                    _become(json.loads(message), fds[:3])
                    _exit(main())
                status_sockets[pid] = socket.socket(fileno=fds[3])
                status_sockets[pid].send(STATUS.pack(pid))
                for fd in fds[:3]:
                    os.close(fd)
    for pid in status_sockets:
        os.kill(pid, signal.SIGKILL)


def _ignore_signal(signum: int, frame: FrameType | None) -> None:
    """Do nothing: a non-default handler is needed for the wakeup file descriptor."""


def _reap(status_sockets: dict[int, socket.socket]) -> None:
    while status_sockets:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        status_socket = status_sockets.pop(pid)
        status_socket.send(STATUS.pack(status))
        status_socket.close()


def _become(request: dict[str, object], streams: list[int]) -> None:
    """Make this process look like a new interpreter with these arguments."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for fd, stream in enumerate(streams):
        os.dup2(stream, fd)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(request["env"])  # type: ignore[call-overload]
    time.tzset()
    os.chdir(str(request["cwd"]))
    sys.argv = list(request["argv"])  # type: ignore[call-overload]
    sys.stdin, sys.stdout, sys.stderr = _stream(0, "r"), _stream(1, "w"), _stream(2, "w", buffering=1)


def _exit(status: int) -> NoReturn:
    """Exit like an interpreter, but do not take its modules apart: that takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()  # reports what was not closed or awaited
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        raise SystemExit(status) from None  # the interpreter reports it
    os._exit(status)


def _stream(fd: int, mode: str, *, buffering: int = -1) -> IO[str]:
    return open(fd, mode, buffering, encoding="utf-8", errors="backslashreplace", closefd=False)


if __name__ == "__main__":
    for module in ("api.serve", "cli.follow", "db.demo", "feed.http.server"):
        import_module(module)  # commands import these lazily
    command = import_module("boardcast")
    freeze_gc()
    serve(socket.socket(fileno=int(sys.argv[1])), command.main)
