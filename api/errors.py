"""Exceptions, mapped to problems.

Invariant: a response says what the caller can do and nothing about the inside of the service. Anything unexpected is
logged with its traceback and returned as a plain 500.
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

from api.http.problems import Problem, validation_problem
from db.opportunity_table import MissingColumnsError, MissingTableError
from db.readiness import NotReadyError
from feed.access.tokens import TokenError
from feed.stream_request import TOKEN_PROBLEMS

_log = structlog.get_logger("api")

_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "unsupported-media-type"}

# The longest matching prefix of the SQLSTATE wins. Input that passed our validation is still the caller's error.
_BY_SQLSTATE = {
    "08": "database-unavailable",
    "22": "invalid-input",
    "23": "conflict",
    "23502": "invalid-input",
    "23514": "invalid-input",
    "25006": "database-unavailable",  # a standby, or a primary during a switchover
    "40": "busy",
    "53": "database-unavailable",
    "55P03": "busy",
    "57": "database-unavailable",
    "57014": "busy",
    "58": "database-unavailable",
}


def database_problem(error: psycopg.Error) -> Problem:
    if error.sqlstate is None:
        unreachable = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Problem("database-unavailable" if unreachable else "internal-error")
    if error.diag.schema_name == "feed" and error.sqlstate.startswith("23"):
        # Not the caller's fault: the log has no partition for the row, because somebody dropped its partitions.
        return Problem("database-unavailable")
    for size in (5, 2):
        slug = _BY_SQLSTATE.get(error.sqlstate[:size])
        if slug:
            return Problem(slug)
    return Problem("internal-error")


def token_problem(error: TokenError) -> Problem:
    return Problem(TOKEN_PROBLEMS[error.code], error.message)


def problem_for(error: Exception) -> Problem:
    """Map any exception of a handler to a problem."""
    if isinstance(error, exc.DBAPIError) and isinstance(error.orig, psycopg.Error):
        error = error.orig
    match error:
        case Problem():
            problem = error
        case HTTPException():
            problem = Problem(_BY_STATUS.get(error.status_code, "internal-error"), headers=error.headers)
        case psycopg.Error():
            problem = database_problem(error)
        # The connection was lost, the pool has none left, or the database is on another schema revision.
        case exc.DBAPIError() | exc.TimeoutError() | NotReadyError():
            problem = Problem("database-unavailable")
        case MissingColumnsError():
            problem = Problem("invalid-input", str(error))
        case MissingTableError():
            problem = Problem("database-unavailable", str(error))
        case ValidationError():
            problem = validation_problem(error)
        case TokenError():
            problem = token_problem(error)
        case _:
            problem = Problem("internal-error")
    return problem


async def handle_exception(request: Request, error: Exception) -> Response:
    problem = problem_for(error)
    if problem.status == 405:
        problem.headers["Allow"] = ", ".join(sorted(_allowed_methods(request)))
    if problem.status == 500:
        _log.error("unhandled exception", path=request.scope["path"], exc_info=error)
    elif problem.status == 503:
        _log.warning("service unavailable", path=request.scope["path"], problem=problem.slug, error=str(error))
    return problem.response(request)


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of all routes with this path: each method has its own, and Starlette reports only one."""
    methods = [
        route.methods or set()
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    return set().union(*methods)


EXCEPTION_HANDLERS: Mapping[Any, Any] = dict.fromkeys(
    (
        *(Problem, HTTPException, NotReadyError, exc.SQLAlchemyError, psycopg.Error, ValidationError, TokenError),
        *(MissingColumnsError, MissingTableError),
    ),
    handle_exception,
)
