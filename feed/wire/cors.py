"""What pages of other origins may send and read: the same on both services."""

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
ALLOWED_HEADERS = (
    "Accept",
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Pragma",
    "X-Feed-Cursor",
    "X-Mutation-Id",
    "X-Request-ID",
    "X-Requested-With",
    "baggage",
    "traceparent",
    "tracestate",
)
EXPOSED_HEADERS = (
    "Allow",
    "Date",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "X-Event-Xid",
    "X-Feed-Cursor",
    "X-Request-ID",
)
MAX_AGE = 600
"""Seconds for which a browser may remember the answer to a preflight."""
