"""Access to OpenTelemetry. If its API (the extra `otel`) is not installed, everything here does nothing, at no cost."""

from collections.abc import Callable

from feed.wire.observers import Observer


def current_traceparent() -> Callable[[], str | None]:
    """A function that returns the `traceparent` of the current span, or None."""
    try:
        from feed.telemetry.spans import current_traceparent
    except ImportError:
        return lambda: None
    return current_traceparent


def delivery_spans(instance: str) -> Observer | None:
    """An observer that makes a span for each delivery; None without OpenTelemetry."""
    try:
        from feed.telemetry.spans import DeliverySpans
    except ImportError:
        return None
    return DeliverySpans(instance)
