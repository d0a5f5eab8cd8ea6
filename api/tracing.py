"""The W3C trace context of a request, on its way into the transaction that it makes and so into the event.

Invariant: what cannot be read is no trace. It is passed over, as the standard has it, and no request fails for it.
"""

import re

from starlette.datastructures import Headers
from starlette.middleware import Middleware

# A version of the future may have more behind its flags; 00 has not, and ff is none.
_TRACEPARENT = re.compile(
    r"(?:(00)|(?!00|ff)[0-9a-f]{2})(-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?(1)|(?:-.*)?)"
)
# Streams have no end to be measured, and a span holds the whole address: a ticket is nothing to be kept.
_NOT_TRACED = (r"/api/events(\?|$)", r"/(healthz|readyz|metrics)(\?|$)", r"[?&](ticket|token)=")


def given(headers: Headers) -> str | None:
    """Read the request's traceparent, as version 00 has it; None where there is none, or more than one."""
    values = headers.getlist("traceparent")
    found = _TRACEPARENT.fullmatch(values[0].strip()) if len(values) == 1 else None
    return found and f"00{found[2]}"


def trace_id(traceparent: str) -> str:
    return traceparent.split("-")[1]


def middleware() -> list[Middleware]:
    """Make a span of each request, where OpenTelemetry's API is installed (the extra `otel`)."""
    try:
        from starlette.middleware.opentelemetry import OpenTelemetryMiddleware
    except ImportError:
        return []
    return [Middleware(OpenTelemetryMiddleware, excluded_urls=_NOT_TRACED)]
