"""The socket that a service listens on.

Invariant: two services cannot share a port by accident, and a client whose network is gone is dropped within half a minute,
whichever transport it uses: an unacknowledged heartbeat is enough. The kernel keeps little for a client that does not read, so
that one that is slow is known to be slow, by what it leaves unread with us.
"""

import asyncio
import errno
import socket

_UNACKNOWLEDGED = 30_000
"""Milliseconds that written bytes may stay unacknowledged."""


_UNSENT = 128 * 1024
"""Bytes that the kernel takes for a client before it has room for them; else megabytes, and thousands of old events."""


async def listen(host: str, port: int, variable: str) -> socket.socket:
    """Open the port. Raises OSError that says what to do; `variable` is the setting to change where the port is taken."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # tcp(7): inherited by the sockets that accept() returns.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            # Inherited too. What is on its way is not bounded by it, so a fast client far away is as fast as before.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        sock.setblocking(False)
        sock.bind(address)
        # Two may bind one port where neither listens yet: listening here makes the second fail, and not its clients.
        sock.listen(4096)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(error.errno, f"port {port} of {host} is in use: set {variable}") from None
        raise OSError(error.errno, f"cannot listen on port {port} of {host}: {error.strerror}") from None
    return sock
