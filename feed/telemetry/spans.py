"""OpenTelemetry spans. Only imported if its API is installed (the extra `otel`); see feed.telemetry.tracing.

Invariant: a read pass makes one span per trace among the changes that it delivers, not one per change. The application's
OpenTelemetry setup decides whether spans are recorded, and where they go.
"""

import time
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from feed.wire.event import Event
from feed.wire.observers import Observer

_SPAN_NAME = "boardcast deliver"
_PROPAGATOR = TraceContextTextMapPropagator()


def current_traceparent() -> str | None:
    """The `traceparent` of the current span; None if there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


class DeliverySpans(Observer):
    """Observes the log. Its spans last from the write of a row to the clients' sockets, in the trace of that write."""

    def __init__(self, instance: str) -> None:
        self._tracer = trace.get_tracer("boardcast")
        self._instance = instance

    def on_events(self, events: Sequence[Event]) -> None:
        written: dict[str, list[Event]] = {}
        for event in events:
            if event.traceparent is not None:
                written.setdefault(event.traceparent, []).append(event)
        now = time.time_ns()
        for traceparent, group in written.items():
            self._record(traceparent, group, now)

    def _record(self, traceparent: str, events: list[Event], now: int) -> None:
        first = events[0]
        span = self._tracer.start_span(
            _SPAN_NAME,
            context=_PROPAGATOR.extract({"traceparent": traceparent}),
            kind=trace.SpanKind.PRODUCER,
            start_time=int(first.at.timestamp() * 1e9),
            attributes={
                "boardcast.instance": self._instance,
                "boardcast.seq": first.seq,
                "boardcast.type": first.type,
                "boardcast.events": len(events),
            },
        )
        span.end(now)
