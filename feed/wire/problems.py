"""Problem types (RFC 9457) of requests for a stream, by slug. They are part of the API's table."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple


class ProblemType(NamedTuple):
    status: int
    title: str


INTERNAL_ERROR = ProblemType(500, "An unexpected error occurred")
"""internal-error, for any request."""

REQUEST_TIMEOUT = ProblemType(408, "The request did not arrive in time")
"""request-timeout, for any request."""

HEADERS_TOO_LARGE = ProblemType(431, "The request has too many headers, or too large ones")
"""headers-too-large, for any request."""

STREAM_PROBLEMS: Mapping[str, ProblemType] = {
    "too-many-boards": ProblemType(400, "The request names too many boards"),
    "unauthenticated": ProblemType(401, "Authentication is required"),
    "invalid-token": ProblemType(401, "The token is not valid"),
    "expired-token": ProblemType(401, "The token has expired"),
    "invalid-ticket": ProblemType(401, "The ticket is unknown, used, or expired"),
    "invalid-input": ProblemType(422, "Some of the input is not valid"),
    "wrong-origin": ProblemType(403, "Requests from this origin are not allowed"),
    "not-offered": ProblemType(406, "This transport is not enabled for you"),
    "too-many-connections": ProblemType(429, "You have too many connections"),
    "database-unavailable": ProblemType(503, "The database is not available"),
    "keys-unavailable": ProblemType(503, "The token issuer's keys cannot be fetched"),
    "overloaded": ProblemType(503, "This instance has no room for another stream"),
    "draining": ProblemType(503, "This instance is stopping"),
}


def raw_response(slug: str, problem_type: ProblemType) -> bytes:
    """Return a whole HTTP response, for a connection that is closed before its request was read."""
    body = json.dumps({"type": f"/problems/{slug}", "title": problem_type.title, "status": problem_type.status})
    retry = "Retry-After: 5\r\n" if problem_type.status == 503 else ""
    head = f"HTTP/1.1 {problem_type.status} {HTTPStatus(problem_type.status).phrase}\r\n{retry}"
    return (
        f"{head}Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


OVERLOADED_RESPONSE = raw_response("overloaded", STREAM_PROBLEMS["overloaded"])
HEADERS_TOO_LARGE_RESPONSE = raw_response("headers-too-large", HEADERS_TOO_LARGE)
TIMEOUT_RESPONSE = raw_response("request-timeout", REQUEST_TIMEOUT)
