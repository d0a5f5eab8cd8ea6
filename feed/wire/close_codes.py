"""Why a stream ends: one table of data for every transport, the metrics and docs/protocol.md.

Invariant: a client is always told, by a code that says whether to come back. Codes below 4000 are RFC 6455's; of ours the last
two digits follow HTTP's status.
"""

from typing import NamedTuple


class CloseReason(NamedTuple):
    """`code` is the WebSocket close code, `status` HTTP's where the stream has not begun, `again` whether to reconnect."""

    name: str
    code: int
    status: int
    again: bool
    meaning: str


BAD_MESSAGE = CloseReason("bad_message", 4400, 400, again=False, meaning="A message was not what the protocol says")
UNAUTHENTICATED = CloseReason(
    "unauthenticated", 4401, 401, again=False, meaning="The token is missing, wrong or expired: get a new one"
)
FORBIDDEN = CloseReason("forbidden", 4403, 403, again=False, meaning="This Origin may not connect")
NO_AUTH = CloseReason("no_auth", 4408, 408, again=True, meaning="No auth message came in time")
NOT_OFFERED = CloseReason(
    "not_offered",
    4406,
    406,
    again=True,
    meaning="The user is not offered this transport now: take what realtime in GET /api/config names",
)
TOO_SLOW = CloseReason(
    "too_slow", 4409, 409, again=True, meaning="The client did not read in time: resume from the cursor"
)
TOO_MANY = CloseReason("too_many", 4429, 429, again=True, meaning="The user has too many connections: close one first")
TOO_BIG = CloseReason("too_big", 1009, 413, again=False, meaning="A message was larger than 64 KiB")
RESTART = CloseReason("restart", 1012, 503, again=True, meaning="The service restarts: come back after retryMs")
OVERLOADED = CloseReason("overloaded", 1013, 503, again=True, meaning="The service is full: come back after retryMs")

ALL = (BAD_MESSAGE, UNAUTHENTICATED, FORBIDDEN, NOT_OFFERED, NO_AUTH, TOO_SLOW, TOO_MANY, TOO_BIG, RESTART, OVERLOADED)
