"""How a feed stands, asked when somebody reads its metrics and not before.

Invariant: what is shown is what is so at that moment. What is not known is not a number, and never what it was before.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge

from feed.system.database import Pool
from feed.telemetry.recent import Recent

ACTIONS = ("editing", "viewing")


class GaugeSources(NamedTuple):
    """Whom to ask: of a runtime that serves."""

    connections: Callable[[], int]
    draining: Callable[[], bool]
    listener_age: Callable[[], float]
    log_idle: Callable[[], float]
    leases: Callable[[str], int]
    """Of an action."""
    pool: Pool


class RuntimeGauges:
    def __init__(self, registry: CollectorRegistry, recent: Recent) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"boardcast_{name}", text, labels, registry=registry)

        self._connections = gauge("active_connections", "Open streams of all transports")
        gauge("messages_per_second", "Events written to live clients in a second, over the last minute").set_function(
            recent.per_second
        )
        gauge("latency_average_seconds", "Average of boardcast_delivery_seconds over the last minute").set_function(
            recent.average
        )
        gauge(
            "latency_p95_seconds", "95th percentile of boardcast_delivery_seconds over the last minute, by its buckets"
        ).set_function(lambda: recent.quantile(0.95))
        self._draining = gauge("draining", "Whether this instance is stopping, and sends its clients elsewhere")
        self._listener_age = gauge("listener_age_seconds", "Since the LISTEN connection last heard anything, or itself")
        self._log_idle = gauge("log_idle_seconds", "Since the log was last read to its end")
        self._leases = gauge("presence_leases", "Places that clients of this instance have open", "action")
        self._pool = gauge("pool_connections", "Connections of the feed's pool to the database", "state")
        self._waiting = gauge("pool_waiting", "Who waits for one of them")
        self._queue = gauge(
            "notify_queue_usage", "Share of the server's NOTIFY queue that is in use; looked at each minute"
        )
        self._log_bytes = gauge("log_bytes", "Size of feed.log with its indexes; looked at each minute")
        self._partitions = gauge("log_partitions", "Partitions of feed.log; looked at each minute")
        self.looked(math.nan, math.nan, math.nan)

    def show(self, sources: GaugeSources) -> None:
        """Ask these from now on."""
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

    def looked(self, queue: float, log_bytes: float, partitions: float) -> None:
        """What was found in the database."""
        self._queue.set(queue)
        self._log_bytes.set(log_bytes)
        self._partitions.set(partitions)


def _stat(pool: Pool, name: str) -> int:
    return pool.get_stats().get(name, 0)
