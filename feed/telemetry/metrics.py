"""What a feed measures, for Prometheus. One registry per runtime, so that several fit into one process.

Invariant: no label names a user, a board or a card, and what can be listed of a label's values is there from the start, at 0: of a
counter that begins to be with its first event no rate can tell of that event.
"""

import collections
import math
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, ProcessCollector
from prometheus_client.exposition import choose_encoder

from feed.telemetry.histogram import Histogram
from feed.telemetry.recent import Recent
from feed.telemetry.runtime_gauges import RuntimeGauges
from feed.wire.close_codes import ALL
from feed.wire.cursor import Fault
from feed.wire.encoding import ENCODINGS
from feed.wire.event import KINDS, Event
from feed.wire.problems import STREAMS
from feed.wire.protocol import TYPES

M = TypeVar("M", Counter, Gauge)


class Metrics:
    """`service` is feed or api."""

    def __init__(self, service: str = "feed") -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._gauge("build_info", "Always 1: which boardcast this is", "version", "service").labels(
            version("boardcast"), service
        ).set(1)
        self._streams()
        self._delivery()
        self._coming()
        self._database()
        self.recent = Recent(self.delivery_seconds)
        self.runtime_gauges = RuntimeGauges(self.registry, self.recent)

    def _streams(self) -> None:
        transports = [encoding.name for encoding in ENCODINGS]
        self.connections = _each(self._gauge("connections", "Open streams", "transport"), transports)
        self.refused = _each(
            self._counter("refused", "Event streams that did not begin, by their problem", "problem"), STREAMS
        )
        self.closed = _each(
            self._counter("closed", "Streams that the service ended", "reason"), [reason.name for reason in ALL]
        )
        self.slow = _each(
            self._counter("slow_clients", "Clients that fell behind, by what became of it", "outcome"),
            ("behind", "dropped"),
        )
        self.messages = _each(
            self._counter(
                "messages", "What clients said over WebSockets; invalid: what is not in the protocol", "type"
            ),
            (*TYPES, "invalid"),
        )

    def _delivery(self) -> None:
        transports = [encoding.name for encoding in ENCODINGS]
        events = self._counter("events", "Events read from the log", "type")
        self._events = {kind: events.labels(kind) for kind in KINDS}
        deliveries = self._counter("deliveries", "Events written to live clients", "transport")
        size = self._counter("delivered_bytes", "The bytes of these", "transport")
        self._delivered = {name: (deliveries.labels(name), size.labels(name)) for name in transports}
        self.delivery_seconds = Histogram(
            "boardcast_delivery_seconds",
            "From the write of a row (feed.log.at) to the clients' sockets, by the two clocks",
            (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
        )
        self.registry.register(self.delivery_seconds)
        self.sweeps = self._counter("sweeps", "Reads of the log for all clients")
        self.sweep_seconds = Histogram(
            "boardcast_sweep_seconds",
            "Time that these took, with the telling of what was found",
            (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
        )
        self.registry.register(self.sweep_seconds)
        self.loop_lag_seconds = Histogram(
            "boardcast_loop_lag_seconds",
            "How much later than it asked for the event loop woke a task, each second",
            (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
        )
        self.registry.register(self.loop_lag_seconds)

    def _coming(self) -> None:
        self.catchups = _each(
            self._counter(
                "catchups",
                "Clients that went live: live, without a cursor; from the ring in memory; from the log, each event or collapsed; "
                "reset, anew",
                "source",
            ),
            ("live", "ring", "log", "collapsed", "reset"),
        )
        self.reads = _each(
            self._counter(
                "log_reads",
                "Reads of the log for clients that came back: shared by those with one cursor, or for one alone",
                "reader",
            ),
            ("shared", "alone"),
        )
        self.resets = _each(self._counter("resets", "Cursors that could not be resumed", "reason"), Fault)
        self.checkpoints = self._counter("checkpoints", "Boards counted and hashed for their readers")
        self.gaps = _each(
            self._counter("gaps", "Boards that were not what they had to be, see feed.gaps", "cause"),
            ("unlogged", "delivery", "feed", "cursor"),
        )

    def _database(self) -> None:
        self.listener_up = self._gauge("listener_up", "Whether the LISTEN connection has proven itself")
        self.database_up = self._gauge("database_up", "Whether the sweeping connection works")
        self.pacer = Enum(
            "boardcast_pacer",
            "Who rings: aside, it is not for this instance to say; calm and calming, the writers; busy and tick, this instance; "
            "always, each write, as BOARDCAST_BELL says; silent, nobody",
            states=["aside", "calm", "calming", "busy", "tick", "always", "silent"],
            registry=self.registry,
        )
        self.pacer_transitions = self._counter("pacer_transitions", "Changes between these", "to")
        self.bells = _each(
            self._counter(
                "bells",
                "Rings of the doorbell: by writers, as changes that the log says rang; by this instance as the pacer",
                "by",
            ),
            ("writer", "pacer"),
        )
        self.bells_skipped = self._counter("bells_skipped", "Changes that the log says did not ring")
        self.replica_reads = self._counter(
            "replica_reads",
            "Reads of the log meant for the replica, for all clients (sweep) or one that came back (catchup), by outcome",
            "reader",
            "outcome",
        )
        self.replica_used = self._gauge(
            "replica_used", "Whether the log is read on the replica; NaN where none is named"
        )
        self.replica_used.set(math.nan)
        self.reconnects = _each(
            self._counter("reconnects", "Lost database connections", "connection"), ("tailer", "listener", "pacer")
        )

    def delivered(self, transport: str, events: int, size: int) -> None:
        """So many bytes of events were written to live clients."""
        told, written = self._delivered[transport]
        told.inc(events)
        written.inc(size)
        self.recent.told += events

    def published(self, events: Sequence[Event]) -> None:
        """Events were read, and written to all who are live."""
        for kind, count in collections.Counter(event.type for event in events).items():
            self._events[kind].inc(count)
        now = time.time()
        self.delivery_seconds.observe([max(0.0, now - event.at.timestamp()) for event in events])

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics, and their content type, in the form that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"boardcast_{name}_total", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"boardcast_{name}", text, labels, registry=self.registry)


def _each(metric: M, values: Iterable[str]) -> M:
    for value in values:
        metric.labels(value)
    return metric
