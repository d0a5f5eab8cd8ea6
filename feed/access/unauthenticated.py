"""Connections that have not authenticated: how many there may be, in all and per address.

Invariant: a new connection is never refused for the sake of others that have not authenticated either: above a limit, the
oldest of them is closed. So silent connections keep no client out. Only if the descriptors run out is a new connection
refused.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

from db.settings import Settings
from feed.system.descriptors import descriptors
from feed.telemetry.metrics import Metrics

Network = IPv4Network | IPv6Network


class Evictable(Protocol):
    def evict(self) -> None:
        """Close the connection soon, after an error that says `overloaded`."""
        ...


class Unauthenticated:
    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._most = settings.max_unauthenticated
        self._most_per_address = settings.max_unauthenticated_per_address
        self._proxies = settings.proxy_networks
        self._metrics = metrics
        self._addresses: dict[Evictable, str | None] = {}
        """Oldest first."""
        self._by_address: dict[str, dict[Evictable, None]] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def make_room(self) -> bool:
        """Return whether the process has a descriptor for another client, once the oldest connection has been evicted."""
        left, reserve = descriptors()
        if left > reserve:
            return True
        self._metrics.limited.labels("descriptors").inc()
        if not self._addresses or left <= reserve // 2:
            return False
        self._evict(self._addresses)
        return True

    def address_of(self, peer: object, forwarded_for: str | None = None) -> str | None:
        """Return whose connection this is; None if only a proxy is known.

        `peer` is the transport's `peername`; `forwarded_for` is the header X-Forwarded-For, if there is a request already.
        """
        return client_address(peer, forwarded_for, self._proxies)

    def add(self, connection: Evictable, address: str | None) -> None:
        """Add a connection, and evict the oldest ones above the limits."""
        self._addresses[connection] = address
        if address is not None:
            same = self._by_address.setdefault(address, {})
            same[connection] = None
            if len(same) > self._most_per_address:
                self._metrics.limited.labels("unauthenticated_per_address").inc()
                self._evict(same)
        if len(self._addresses) > self._most:
            self._metrics.limited.labels("unauthenticated").inc()
            self._evict(self._addresses)

    def discard(self, connection: Evictable) -> None:
        """Forget a connection that has authenticated, or ended. Idempotent."""
        address = self._addresses.pop(connection, None)
        if address is not None and (same := self._by_address.get(address)) is not None:
            same.pop(connection, None)
            if not same:
                del self._by_address[address]

    def _evict(self, connections: Iterable[Evictable]) -> None:
        oldest = next(iter(connections))
        self.discard(oldest)
        oldest.evict()


def client_address(peer: object, forwarded_for: str | None, proxies: Iterable[Network]) -> str | None:
    """Return the nearest address that is not a trusted proxy's; None if there is none.

    A client that has an IPv6 address usually has all those with the same first 64 bits.
    """
    hops = [hop.strip() for hop in forwarded_for.split(",")] if forwarded_for else []
    hops.append(str(peer[0]) if isinstance(peer, tuple) and peer else "")
    for hop in reversed(hops):
        try:
            address = ip_address(hop)
        except ValueError:
            return None
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if not any(address in network for network in proxies):
            return str(IPv6Network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)
    return None
