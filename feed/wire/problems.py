"""Problem types (RFC 9457) of requests for a stream, by slug. They are part of the API's table."""

from collections.abc import Mapping
from typing import NamedTuple


class ProblemType(NamedTuple):
    status: int
    title: str


INTERNAL_ERROR = ProblemType(500, "An unexpected error occurred")
"""internal-error, for any request."""

STREAM_PROBLEMS: Mapping[str, ProblemType] = {
    "unauthenticated": ProblemType(401, "Authentication is required"),
    "invalid-token": ProblemType(401, "The token is not valid"),
    "expired-token": ProblemType(401, "The token has expired"),
    "invalid-ticket": ProblemType(401, "The ticket is unknown, used, or expired"),
    "wrong-origin": ProblemType(403, "Requests from this origin are not allowed"),
    "not-offered": ProblemType(406, "This transport is not enabled for you"),
    "too-many-connections": ProblemType(429, "You have too many connections"),
    "database-unavailable": ProblemType(503, "The database is not available"),
    "keys-unavailable": ProblemType(503, "The token issuer's keys cannot be fetched"),
    "overloaded": ProblemType(503, "This instance has no room for another stream"),
    "draining": ProblemType(503, "This instance is stopping"),
}
