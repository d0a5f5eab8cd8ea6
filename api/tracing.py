"""The W3C trace context of a request, which is passed on to its transaction and from there to the event.

Invariant: an unreadable trace context is ignored, as the standard requires. No request fails because of it.
"""

import re

from starlette.datastructures import Headers
from starlette.middleware import Middleware

# A future version may append fields after the flags. Version 00 has none, and ff is not a version.
_TRACEPARENT = re.compile(
    r"(?:(00)|(?!00|ff)[0-9a-f]{2})(-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?(1)|(?:-.*)?)"
)
# A stream's duration means nothing, and a span records the whole URL, which must not contain tickets or tokens.
_NOT_TRACED = (r"/api/events(\?|$)", r"/(healthz|readyz|metrics)(\?|$)", r"[?&](ticket|token)=")


def read_traceparent(headers: Headers) -> str | None:
    """Return the traceparent in the form of version 00; None if there is none, or more than one."""
    values = headers.getlist("traceparent")
    match = _TRACEPARENT.fullmatch(values[0].strip()) if len(values) == 1 else None
    return match and f"00{match[2]}"


def trace_id(traceparent: str) -> str:
    return traceparent.split("-")[1]


def middleware() -> list[Middleware]:
    """Create a span for each request if OpenTelemetry's API is installed (the extra `otel`)."""
    try:
        from starlette.middleware.opentelemetry import OpenTelemetryMiddleware
    except ImportError:
        return []
    return [Middleware(OpenTelemetryMiddleware, excluded_urls=_NOT_TRACED)]
