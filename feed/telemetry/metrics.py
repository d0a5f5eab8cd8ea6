"""The metrics of a feed, for Prometheus. Each runtime has a registry, so that one process can hold several.

Invariant: no label names a user, a board or a card. Label values that are known in advance exist from the start, at 0: if a
counter appeared only with its first event, no rate could show that event.
"""

import collections
import math
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, ProcessCollector

from feed.telemetry.histogram import Histogram
from feed.telemetry.runtime_gauges import RuntimeGauges
from feed.wire.close_codes import ALL
from feed.wire.cursor import Fault
from feed.wire.encoding import ENCODINGS
from feed.wire.event import KINDS, Event
from feed.wire.problems import STREAM_PROBLEMS
from feed.wire.protocol import TYPES

M = TypeVar("M", Counter, Gauge)


class Metrics:
    """`service` is `feed` or `api`."""

    def __init__(self, service: str = "feed") -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._gauge(
            "build_info", "Always 1; the labels name the running version and service", "version", "service"
        ).labels(version("boardcast"), service).set(1)
        self._streams()
        self._delivery()
        self._recovery()
        self._database()
        self.task_failures = self._counter(
            "task_failures", "Failures of tasks by a bug of boardcast, each with a traceback in the log", "task"
        )
        self.runtime_gauges = RuntimeGauges(self.registry)

    def _streams(self) -> None:
        transports = [encoding.name for encoding in ENCODINGS]
        self.connections = _each(self._gauge("connections", "Open streams", "transport"), transports)
        self.refused = _each(
            self._counter("refused", "Event streams that were refused, by problem", "problem"), STREAM_PROBLEMS
        )
        self.closed = _each(
            self._counter("closed", "Streams that the service closed, by reason", "reason"),
            [reason.name for reason in ALL],
        )
        self.slow = _each(
            self._counter(
                "slow_clients",
                "Clients that fell behind (behind), and clients disconnected because they fell behind (dropped)",
                "outcome",
            ),
            ("behind", "dropped"),
        )
        self.limited = _each(
            self._counter("limited", "Clients that reached a limit, by limit", "limit"),
            (
                "unauthenticated",
                "unauthenticated_per_address",
                "descriptors",
                "request_timeout",
                "headers",
                "messages",
                "boards",
                "leases",
            ),
        )
        self.messages = _each(
            self._counter(
                "messages",
                "Messages from WebSocket clients; invalid counts messages that the protocol does not define",
                "type",
            ),
            (*TYPES, "invalid"),
        )

    def _delivery(self) -> None:
        transports = [encoding.name for encoding in ENCODINGS]
        events = self._counter("events", "Events read from the log", "type")
        self._events = {kind: events.labels(kind) for kind in KINDS}
        deliveries = self._counter("deliveries", "Events written to live clients", "transport")
        size = self._counter("delivered_bytes", "Bytes of events written to live clients", "transport")
        self._delivered = {name: (deliveries.labels(name), size.labels(name)) for name in transports}
        self.delivery_seconds = Histogram(
            "boardcast_delivery_seconds",
            "Time from the write of a row (feed.log.at, by the database's clock) to the clients' sockets (by the service's clock)",
            (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
        )
        self.registry.register(self.delivery_seconds)
        self.read_passes = self._counter("read_passes", "Reads of the log for all clients")
        self.read_pass_seconds = Histogram(
            "boardcast_read_pass_seconds",
            "Duration of a read of the log for all clients, including delivery",
            (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
        )
        self.registry.register(self.read_pass_seconds)
        self.loop_lag_seconds = Histogram(
            "boardcast_loop_lag_seconds",
            "Delay with which the event loop wakes a task, sampled every second",
            (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
        )
        self.registry.register(self.loop_lag_seconds)

    def _recovery(self) -> None:
        self.recoveries = _each(
            self._counter(
                "recoveries",
                "Clients that became live: without a cursor (live), from the replay buffer (buffer), with every event "
                "from the log (log), with the latest event of each row (collapsed), or after a reset (reset)",
                "source",
            ),
            ("live", "buffer", "log", "collapsed", "reset"),
        )
        self.reads = _each(
            self._counter(
                "log_reads",
                "Reads of the log for returning clients: for all clients with the same cursor (shared), or for one client (alone)",
                "reader",
            ),
            ("shared", "alone"),
        )
        self.resets = _each(self._counter("resets", "Cursors that could not be resumed, by reason", "reason"), Fault)
        self.checkpoints = self._counter(
            "checkpoints", "Board checkpoints (count and hash) sent to the board's clients"
        )
        self.gaps = _each(
            self._counter("gaps", "Boards found to have wrong content, by cause; see feed.gaps", "cause"),
            ("unlogged", "delivery", "feed", "cursor"),
        )

    def _database(self) -> None:
        self.listener_up = self._gauge("listener_up", "Whether the LISTEN connection has received its own NOTIFY")
        self.database_up = self._gauge("database_up", "Whether the connection that reads the log for all clients works")
        self.pacer = Enum(
            "boardcast_pacer",
            "Who sends NOTIFY: every writer (direct, draining; always, if BOARDCAST_NOTIFY_MODE=always), this instance for all "
            "writers (coalesced), or nobody (muted); inactive: another instance has the lease",
            states=["inactive", "direct", "draining", "coalesced", "always", "muted"],
            registry=self.registry,
        )
        self.pacer_transitions = self._counter("pacer_transitions", "Changes of the pacer's state, by new state", "to")
        self.notifications = _each(
            self._counter(
                "notifications",
                "NOTIFYs sent by this instance as the pacer (pacer), or by writers (writer), counted as the changes that "
                "the log marks as notified",
                "by",
            ),
            ("writer", "pacer"),
        )
        self.notifications_suppressed = self._counter(
            "notifications_suppressed", "Changes that the log marks as not notified"
        )
        self.replica_reads = self._counter(
            "replica_reads",
            "Reads of the log intended for the replica, for all live clients (live) or for returning ones (recovery), by outcome",
            "reader",
            "outcome",
        )
        self.replica_used = self._gauge(
            "replica_used", "Whether the log is read on the replica; NaN if none is configured"
        )
        self.replica_used.set(math.nan)
        self.reconnects = _each(
            self._counter("reconnects", "Lost database connections, by task", "connection"),
            ("tailer", "listener", "pacer"),
        )

    def delivered(self, transport: str, events: int, size: int) -> None:
        """Count events, and their bytes, that were written to live clients."""
        event_count, byte_count = self._delivered[transport]
        event_count.inc(events)
        byte_count.inc(size)

    def published(self, events: Sequence[Event]) -> None:
        """Count events that were read from the log and written to all live clients, and how long that took."""
        for kind, count in collections.Counter(event.type for event in events).items():
            self._events[kind].inc(count)
        now = time.time()
        self.delivery_seconds.observe([max(0.0, now - event.at.timestamp()) for event in events])

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"boardcast_{name}_total", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"boardcast_{name}", text, labels, registry=self.registry)


def _each(metric: M, values: Iterable[str]) -> M:
    for value in values:
        metric.labels(value)
    return metric
