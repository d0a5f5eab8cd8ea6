"""File descriptors: how many this process can still open.

Invariant: clients never take the last ones, which the connections to the database and the health checks need.
"""

import os
import resource
from typing import NamedTuple

_RESERVE = 64


class Descriptors(NamedTuple):
    left: int
    """How many can still be opened, at most."""
    reserve: int
    """How many of these no new client gets. Streams leave as many again, for requests such as /readyz."""


def descriptors() -> Descriptors:
    """Count them. All below the lowest free number are in use, whatever uses them."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return Descriptors(1000 * _RESERVE, _RESERVE)
    reserve = min(_RESERVE, limit // 8)
    try:
        lowest_free = os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return Descriptors(0, reserve)
    os.close(lowest_free)
    return Descriptors(limit - lowest_free, reserve)
