"""Gauges of a feed's state. Most are evaluated only when the metrics are read.

Invariant: a gauge shows the current value, or NaN if that is not known; never an old one.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge

from feed.system.database import Pool

ACTIONS = ("editing", "viewing")


class GaugeSources(NamedTuple):
    """Functions that a running runtime provides for its gauges. `leases` takes an action."""

    connections: Callable[[], int]
    draining: Callable[[], bool]
    listener_age: Callable[[], float]
    log_idle: Callable[[], float]
    leases: Callable[[str], int]
    pool: Pool


class RuntimeGauges:
    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"boardcast_{name}", text, labels, registry=registry)

        self._connections = gauge("active_connections", "Open streams of all transports")
        self._draining = gauge("draining", "Whether this instance is stopping and sends its clients elsewhere")
        self._listener_age = gauge(
            "listener_age_seconds", "Seconds since the LISTEN connection last received a notification, its own included"
        )
        self._log_idle = gauge("log_idle_seconds", "Seconds since the log was last read to its end")
        self._leases = gauge("presence_leases", "Presence leases that clients of this instance hold", "action")
        self._pool = gauge("pool_connections", "Connections in the feed's database pool", "state")
        self._waiting = gauge("pool_waiting", "Requests waiting for a connection from the feed's database pool")
        self._queue = gauge(
            "notify_queue_usage", "Share of the server's NOTIFY queue that is in use, measured every minute"
        )
        self._log_bytes = gauge("log_bytes", "Size of feed.log with its indexes, measured every minute")
        self._partitions = gauge("log_partitions", "Partitions of feed.log, measured every minute")
        self.set_database_measures(math.nan, math.nan, math.nan)

    def set_sources(self, sources: GaugeSources) -> None:
        """Read the gauges from these sources from now on."""
        pool = sources.pool
        self._connections.set_function(sources.connections)
        self._draining.set_function(sources.draining)
        self._listener_age.set_function(sources.listener_age)
        self._log_idle.set_function(sources.log_idle)
        for action in ACTIONS:
            self._leases.labels(action).set_function(partial(sources.leases, action))
        self._pool.labels("used").set_function(lambda: _stat(pool, "pool_size") - _stat(pool, "pool_available"))
        self._pool.labels("idle").set_function(lambda: _stat(pool, "pool_available"))
        self._waiting.set_function(lambda: _stat(pool, "requests_waiting"))

    def set_database_measures(self, queue: float, log_bytes: float, partitions: float) -> None:
        """Set the gauges that the maintenance task measures in the database."""
        self._queue.set(queue)
        self._log_bytes.set(log_bytes)
        self._partitions.set(partitions)


def _stat(pool: Pool, name: str) -> int:
    return pool.get_stats().get(name, 0)
