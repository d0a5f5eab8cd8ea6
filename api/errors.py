"""From whatever a handler raised to a problem of the table.

Invariant: an answer tells what the caller can do about it and nothing of the inside; what is unexpected is logged whole
and answered as a plain 500.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
import structlog
from pydantic import ValidationError
from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from api.problems import Problem
from feed.access.tokens import TokenError

_log = structlog.get_logger("api")

_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "unsupported-media-type"}

_BY_TOKEN = {
    "token_expired": "expired-token",
    "token_invalid": "invalid-token",
    "keys_unavailable": "keys-unavailable",
}

# By SQLSTATE, the longest prefix that fits. What a check should have caught before is the caller's error all the same.
_BY_SQLSTATE = {
    "08": "database-unavailable",
    "22": "invalid-input",
    "23": "conflict",
    "23502": "invalid-input",
    "23514": "invalid-input",
    "25006": "database-unavailable",  # a standby, or a primary that is being switched over
    "40": "busy",
    "53": "database-unavailable",
    "55P03": "busy",
    "57": "database-unavailable",
    "57014": "busy",
    "58": "database-unavailable",
}


def of_database(error: psycopg.Error) -> Problem:
    """Choose the problem for an error of the driver's."""
    if error.sqlstate is None:
        unreachable = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Problem("database-unavailable" if unreachable else "internal-error")
    if error.diag.schema_name == "feed" and error.sqlstate.startswith("23"):
        # No fault of the input: the log has no place for it, as somebody took its partitions away.
        return Problem("database-unavailable")
    for size in (5, 2):
        slug = _BY_SQLSTATE.get(error.sqlstate[:size])
        if slug:
            return Problem(slug)
    return Problem("internal-error")


def of_validation(error: ValidationError, place: str = "body") -> Problem:
    """List every fault of the input, each with where it is (a JSON pointer)."""
    faults = [
        {
            "in": place,
            "pointer": "".join(f"/{_escaped(part)}" for part in fault["loc"]),
            "code": fault["type"],
            "detail": fault["msg"],
        }
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return Problem("invalid-input", errors=faults)


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")  # RFC 6901


def of_token(error: TokenError) -> Problem:
    return Problem(_BY_TOKEN[error.code], error.message)


def of(error: Exception) -> Problem:
    """Choose the problem for anything that a handler raised."""
    if isinstance(error, exc.DBAPIError) and isinstance(error.orig, psycopg.Error):
        error = error.orig
    match error:
        case Problem():
            problem = error
        case HTTPException():
            problem = Problem(_BY_STATUS.get(error.status_code, "internal-error"), headers=error.headers)
        case psycopg.Error():
            problem = of_database(error)
        case exc.DBAPIError() | exc.TimeoutError():  # the connection was lost, or the pool has none to give
            problem = Problem("database-unavailable")
        case ValidationError():
            problem = of_validation(error)
        case TokenError():
            problem = of_token(error)
        case _:
            problem = Problem("internal-error")
    return problem


async def handle(request: Request, error: Exception) -> Response:
    problem = of(error)
    if problem.status == 405:
        problem.headers["Allow"] = ", ".join(sorted(_methods(request)))
    if problem.status == 500:
        _log.error("unexpected", path=request.url.path, exc_info=error)
    elif problem.status == 503:
        _log.warning("unavailable", path=request.url.path, problem=problem.slug, error=str(error))
    return problem.response(request)


def _methods(request: Request) -> set[str]:
    """Gather what the address does know: each method is a route of its own, and the router names only the first's."""
    found = [
        route.methods or set()
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    return set().union(*found)


HANDLERS: Mapping[Any, Any] = dict.fromkeys(
    (Problem, HTTPException, exc.SQLAlchemyError, psycopg.Error, ValidationError, TokenError), handle
)
