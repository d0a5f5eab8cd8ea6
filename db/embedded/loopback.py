"""Ports on the loopback address. A port that is free now may be taken before you bind it: be ready to choose again."""

import socket

ADDRESS = "127.0.0.1"


def free_port(preferred: int | None = None) -> int:
    """`preferred` if it is free, otherwise any free port."""
    if preferred is not None and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections may linger
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
        return True
