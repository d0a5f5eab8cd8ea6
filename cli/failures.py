"""How a command ends: the exit statuses, and the message for each kind of failure.

Invariant: a failure is one line on standard error, without passwords. Any exception that is not listed here is a bug, and is shown
with its traceback.
"""

import re
from typing import Any, NamedTuple

import psycopg
from psycopg import conninfo
from psycopg.errors import InsufficientPrivilege
from pydantic import ValidationError
from typer.exceptions import TyperException

from db.embedded.errors import EmbeddedError
from db.readiness import NotReadyError
from db.settings import Settings

OK = 0
BUG = 1
USAGE = 2
DATABASE = 3
UNAVAILABLE = 4
PROBLEMS = 5


class Status(NamedTuple):
    """A row of the table in docs/operations.md."""

    number: str
    name: str
    when: str
    remedy: str


STATUSES = (
    Status(str(OK), "ok", "Success, or a service stopped by a signal", ""),
    Status(str(BUG), "bug", "An unexpected error, with a traceback", "Report it"),
    Status(str(USAGE), "usage", "Invalid arguments or settings", "Correct them before you try again"),
    Status(
        str(DATABASE),
        "database",
        "The database cannot be reached, refuses access, is not migrated, is a standby, is too old, or cannot LISTEN",
        "Do what the message says, then try again",
    ),
    Status(
        str(UNAVAILABLE),
        "unavailable",
        "A port, a file, or the data directory of the embedded server is in use or not accessible",
        "Free it, or choose another one",
    ),
    Status(str(PROBLEMS), "problems", "The check found problems, or nothing matched", "Read what it printed"),
    Status(
        "128 + n",
        "signal",
        "Ended by signal n: 130 means Ctrl-C, 141 that the reader of the output closed the pipe. "
        "A service ends like this after a second signal",
        "",
    ),
)

_LINES = re.compile(r"([:.;,?])?\s*\n\s*")
_HINTS = {
    re.compile("too many (clients|connections)|remaining connection slots"): (
        "close idle connections, use a connection pooler, or raise the limit; a superuser can still connect, "
        "and `boardcast doctor` run as one shows how to list the connections"
    ),
    re.compile("could not write init file"): "the disk of the server is full",
}
"""Hints for errors to which PostgreSQL gives none."""
_PRIVILEGES = "the role feed_dba may read, and the owner may change; see docs/operations.md#postgresql"


class FailureError(Exception):
    """A failure whose message is complete: what happened, why, and what to do next."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def describe(error: Exception) -> tuple[int, str] | None:
    """The exit status and the message for an expected failure; None for a bug."""
    # SQLAlchemy's errors wrap the driver's.
    if isinstance(driver_error := getattr(error, "orig", None), psycopg.Error):
        error = driver_error
    match error:
        case FailureError():
            status, message = error.status, str(error)
        case TyperException():
            status, message = USAGE, error.format_message()
        case ValidationError():
            errors = error.errors(include_url=False, include_input=False)
            status, message = USAGE, "; ".join(map(_setting_message, errors))
        case NotReadyError():
            status, message = DATABASE, str(error)
        case psycopg.Error():
            status, message = DATABASE, _database_message(error)
        case EmbeddedError():
            status, message = UNAVAILABLE, str(error)
        case OSError():
            path = f"{error.filename}: " if error.filename else ""
            status, message = UNAVAILABLE, f"{path}{error.strerror or error}"
        case _:
            return None
    return status, one_line(message)


def one_line(message: str) -> str:
    return _LINES.sub(lambda end: (end[1] or ";") + " ", message.strip())


def check_urls(settings: Settings) -> None:
    """Raise FailureError for a URL that libpq cannot parse. libpq's own message quotes a part that may be the password."""
    for name, url in (("DATABASE_URL", settings.database_url), ("LISTEN_DATABASE_URL", settings.listen_database_url)):
        try:
            conninfo.conninfo_to_dict(url or "")
        except psycopg.ProgrammingError:
            message = (
                "must look like postgresql://user:password@host:port/name, with special characters percent-encoded"
            )
            raise FailureError(USAGE, f"{name}: {message}") from None


def _database_message(error: psycopg.Error) -> str:
    hint = error.diag.message_hint
    if hint is None and isinstance(error, InsufficientPrivilege):
        hint = _PRIVILEGES
    elif hint is None:
        hint = next((text for pattern, text in _HINTS.items() if pattern.search(str(error))), None)
    return f"database error: {error.diag.message_primary or error}{f' ({hint})' if hint else ''}"


def _setting_message(error: Any) -> str:
    """Name an invalid setting as the environment does."""
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    name = str(error["loc"][0])
    return f"{name if name.isupper() else f'BOARDCAST_{name.upper()}'}: {message}"
