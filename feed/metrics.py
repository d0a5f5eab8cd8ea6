"""What a feed measures, for Prometheus. One registry per runtime, so that several fit into one process.

No label names a user, a board or a card.
"""

import collections
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge
from prometheus_client.exposition import choose_encoder

from feed.durations import Durations
from feed.event import Event


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.connections = Gauge("boardcast_connections", "Open streams", ["transport"], registry=self.registry)
        self.events = Counter("boardcast_events_total", "Events read from the log", ["type"], registry=self.registry)
        self.deliveries = Counter(
            "boardcast_deliveries_total", "Events written to live clients", ["transport"], registry=self.registry
        )
        self.delivery_seconds = Durations(
            "boardcast_delivery_seconds",
            "From the write of a row (feed.log.at) to the clients' sockets, by the two clocks",
            (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
        )
        self.registry.register(self.delivery_seconds)
        self.sweeps = Counter("boardcast_sweeps_total", "Reads of the log for all clients", registry=self.registry)
        self.catchups = Counter(
            "boardcast_catchups_total", "Clients caught up, by where from", ["source"], registry=self.registry
        )
        self.reads = Counter(
            "boardcast_log_reads_total",
            "Reads of the log for clients that came back: shared by those with one cursor, or for one alone",
            ["reader"],
            registry=self.registry,
        )
        self.resets = Counter(
            "boardcast_resets_total", "Cursors that could not be resumed", ["reason"], registry=self.registry
        )
        self.slow = Counter(
            "boardcast_slow_clients_total",
            "Clients that fell behind, by what became of it",
            ["outcome"],
            registry=self.registry,
        )
        self.closed = Counter(
            "boardcast_closed_total", "Streams that the service ended", ["reason"], registry=self.registry
        )
        self.listener_up = Gauge(
            "boardcast_listener_up", "Whether the LISTEN connection has proven itself", registry=self.registry
        )
        self.database_up = Gauge(
            "boardcast_database_up", "Whether the sweeping connection works", registry=self.registry
        )
        self.pacer = Enum(
            "boardcast_pacer",
            "Who rings: aside, it is not for this instance to say; calm and calming, the writers; "
            "busy and tick, this instance; silent, nobody",
            states=["aside", "calm", "calming", "busy", "tick", "silent"],
            registry=self.registry,
        )
        self.pacer_transitions = Counter(
            "boardcast_pacer_transitions_total", "Changes between these", ["to"], registry=self.registry
        )
        self.bells = Counter(
            "boardcast_bells_total",
            "Rings of the doorbell: by writers, as changes that the log says rang; by this instance as the pacer",
            ["by"],
            registry=self.registry,
        )
        self.bells_skipped = Counter(
            "boardcast_bells_skipped_total", "Changes that the log says did not ring", registry=self.registry
        )
        self.checkpoints = Counter(
            "boardcast_checkpoints_total", "Boards counted and hashed for their readers", registry=self.registry
        )
        self.gaps = Counter(
            "boardcast_gaps_total",
            "Boards that were not what they had to be, see feed.gaps",
            ["cause"],
            registry=self.registry,
        )
        self.replica_reads = Counter(
            "boardcast_replica_reads_total",
            "Reads of the log that were meant for the replica, by what became of them",
            ["outcome"],
            registry=self.registry,
        )
        self.replica_used = Gauge(
            "boardcast_replica_used", "Whether the log is read on the replica", registry=self.registry
        )
        self.reconnects = Counter(
            "boardcast_reconnects_total", "Lost database connections", ["connection"], registry=self.registry
        )

    def published(self, events: Sequence[Event]) -> None:
        """Events were read, and written to all who are live."""
        for kind, count in collections.Counter(event.type for event in events).items():
            self.events.labels(kind).inc(count)
        now = time.time()
        self.delivery_seconds.observe([max(0.0, now - event.at.timestamp()) for event in events])

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics, and their content type, in the form that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
