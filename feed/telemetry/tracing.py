"""What there is of OpenTelemetry here: everything where its API is installed (the extra `otel`), else nothing, at no cost."""

from collections.abc import Callable

from feed.wire.follower import Follower


def current() -> Callable[[], str | None]:
    """What tells the trace context of the span that is under way."""
    try:
        from feed.telemetry.spans import current
    except ImportError:
        return lambda: None
    return current


def deliveries(instance: str) -> Follower | None:
    """What makes a span of each delivery."""
    try:
        from feed.telemetry.spans import Deliveries
    except ImportError:
        return None
    return Deliveries(instance)
