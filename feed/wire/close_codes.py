"""Why a stream ends: one table for all transports, the metrics and docs/protocol.md.

Invariant: every client receives a code that says whether to reconnect. Codes below 4000 are those of RFC 6455; the last
two digits of the others follow HTTP status codes.
"""

from typing import NamedTuple


class CloseReason(NamedTuple):
    """`code` is the WebSocket close code, `status` the HTTP status if the stream has not begun."""

    name: str
    code: int
    status: int
    reconnect: bool
    meaning: str


BAD_MESSAGE = CloseReason("bad_message", 4400, 400, reconnect=False, meaning="A message violated the protocol")
UNAUTHENTICATED = CloseReason(
    "unauthenticated", 4401, 401, reconnect=False, meaning="The token is missing, invalid, or expired: get a new one"
)
FORBIDDEN = CloseReason("forbidden", 4403, 403, reconnect=False, meaning="Connections from this Origin are not allowed")
NO_AUTH = CloseReason("no_auth", 4408, 408, reconnect=True, meaning="No auth message arrived in time")
NOT_OFFERED = CloseReason(
    "not_offered",
    4406,
    406,
    reconnect=True,
    meaning="The user may not use this transport now: use the one that GET /api/config returns as realtime",
)
TOO_SLOW = CloseReason(
    "too_slow",
    4409,
    409,
    reconnect=True,
    meaning="The client did not read in time, so the connection is cut without a close frame: resume from the cursor",
)
TOO_MANY = CloseReason(
    "too_many", 4429, 429, reconnect=True, meaning="The user has too many connections: close one first"
)
TOO_FAST = CloseReason(
    "too_fast", 4529, 429, reconnect=True, meaning="The client sent too many messages: reconnect after retryMs"
)
TOO_BIG = CloseReason("too_big", 1009, 413, reconnect=False, meaning="A message was larger than 64 KiB")
RESTART = CloseReason(
    "restart", 1012, 503, reconnect=True, meaning="The service is restarting: reconnect after retryMs"
)
OVERLOADED = CloseReason(
    "overloaded", 1013, 503, reconnect=True, meaning="The service is full: reconnect after retryMs"
)

ALL = (
    BAD_MESSAGE,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_OFFERED,
    NO_AUTH,
    TOO_SLOW,
    TOO_MANY,
    TOO_FAST,
    TOO_BIG,
    RESTART,
    OVERLOADED,
)
