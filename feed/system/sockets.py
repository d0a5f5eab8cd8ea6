"""The socket that a service listens on.

Invariant: two services cannot share a port by accident. A client whose network is gone is dropped within half a minute on every
transport: an unacknowledged heartbeat is enough. The kernel buffers little for a client that does not read, so a slow client is
recognized by the data that stays unsent in this process.
"""

import asyncio
import errno
import socket

_USER_TIMEOUT_MS = 30_000
"""Milliseconds that sent bytes may stay unacknowledged."""

_UNSENT_LIMIT = 128 * 1024
"""Bytes that the kernel accepts per client before they can be sent. The default is megabytes: thousands of stale events."""


async def listen(host: str, port: int, variable: str) -> socket.socket:
    """Open the port. Raises OSError with advice; `variable` names the setting that changes the port."""
    addresses = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    family, kind, protocol, _, address = addresses[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # tcp(7): inherited by the sockets that accept() returns.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            # Inherited too. It does not limit the data in flight, so fast clients on long links are not slowed down.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_LIMIT)
        sock.setblocking(False)
        sock.bind(address)
        # Two sockets can bind the same port while neither listens. Listening now makes the second service fail at its start.
        sock.listen(4096)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(error.errno, f"port {port} of {host} is in use: set {variable}") from None
        raise OSError(error.errno, f"cannot listen on port {port} of {host}: {error.strerror}") from None
    return sock
