"""Spans of OpenTelemetry: only imported where its API is installed (the extra `otel`); see feed.telemetry.tracing.

Invariant: a sweep makes a span for each write that says its trace, and not for each of its changes. Who sets OpenTelemetry up
decides what becomes of them, and whether they are made at all.
"""

import time
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from feed.wire.event import Event

_NAME = "boardcast deliver"
_READER = TraceContextTextMapPropagator()


def current() -> str | None:
    """The trace context of the span that is under way here; None where there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


class Deliveries:
    """A follower of the tailer: from the write of a row to the clients' sockets, as a part of the trace that it was written in."""

    def __init__(self, instance: str) -> None:
        self._tracer = trace.get_tracer("boardcast")
        self._instance = instance

    def told(self, events: Sequence[Event]) -> None:
        written: dict[str, list[Event]] = {}
        for event in events:
            if event.traceparent is not None:
                written.setdefault(event.traceparent, []).append(event)
        now = time.time_ns()
        for traceparent, of_it in written.items():
            self._tell(traceparent, of_it, now)

    def lost(self) -> None:
        """Nothing is kept."""

    def _tell(self, traceparent: str, events: list[Event], now: int) -> None:
        first = events[0]
        span = self._tracer.start_span(
            _NAME,
            context=_READER.extract({"traceparent": traceparent}),
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
