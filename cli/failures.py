"""How a command ends: the exit statuses, as one table, and one line for each failure that is not a fault of ours.

Invariant: no line has a password in it. What is not in the table is a fault of ours, and shown with its traceback.
"""

import re
from typing import Any, NamedTuple

import psycopg
from psycopg import conninfo
from psycopg.errors import InsufficientPrivilege
from pydantic import ValidationError
from typer.exceptions import TyperException

from db.embedded import EmbeddedError
from db.pgbin import BinariesError
from db.settings import Settings
from feed.system.database import NotReadyError

DONE = 0
FAULT = 1
USAGE = 2
DATABASE = 3
TAKEN = 4
FOUND = 5


class Status(NamedTuple):
    """`number` as the documentation writes it."""

    number: str
    name: str
    when: str
    cure: str


STATUSES = (
    Status(str(DONE), "done", "Done, or a service stopped by a signal", ""),
    Status(str(FAULT), "fault", "A fault of boardcast, with its traceback", "Report it"),
    Status(str(USAGE), "usage", "Arguments or settings", "Change them; not before is it worth starting again"),
    Status(
        str(DATABASE),
        "database",
        "The database: not there, refuses, not migrated, a standby, too old, LISTEN not possible",
        "As the line says; then start again",
    ),
    Status(
        str(TAKEN),
        "taken",
        "A port, a file, or the embedded server's directory cannot be had",
        "Free it, or name another",
    ),
    Status(
        str(FOUND),
        "found",
        "Looked as it was asked to, and what it found is not well, or is not there",
        "Read what it printed",
    ),
    Status(
        "128 + n",
        "signal",
        "Ended by signal n: 130 by Ctrl-C, 141 when nobody reads what it prints, a service by a second signal",
        "",
    ),
)

_LINES = re.compile(r"([:.;,?])?\s*\n\s*")
_CROWDED = (
    "end what is idle, put a pooler before it, or raise the limit; a superuser still gets in, and "
    "`boardcast doctor` then says whose they are"
)
_HINTS = {
    re.compile("too many (clients|connections)|remaining connection slots"): _CROWDED,
    re.compile("could not write init file"): "its disk is full",
}
"""For what PostgreSQL says without one."""
_RIGHTS = "to look needs the role feed_dba, to change its owner; see docs/operations.md#postgresql"


class FailureError(Exception):
    """A failure that says itself what is wrong."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def known(error: Exception) -> tuple[int, str] | None:
    """The exit status and the line for a failure; None for what should not happen."""
    # SQLAlchemy's errors carry the driver's.
    if isinstance(driver := getattr(error, "orig", None), psycopg.Error):
        error = driver
    match error:
        case FailureError():
            status, text = error.status, str(error)
        case TyperException():
            status, text = USAGE, error.format_message()
        case ValidationError():
            faults = error.errors(include_url=False, include_input=False)
            status, text = USAGE, "; ".join(_fault(fault) for fault in faults)
        case NotReadyError():
            status, text = DATABASE, str(error)
        case psycopg.Error():
            status, text = DATABASE, _of_database(error)
        case EmbeddedError() | BinariesError():
            status, text = TAKEN, str(error)
        case OSError():
            status, text = TAKEN, f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}"
        case _:
            return None
    return status, in_one_line(text)


def in_one_line(text: str) -> str:
    return _LINES.sub(lambda end: (end[1] or ";") + " ", text.strip())


def check_urls(settings: Settings) -> None:
    """Raise FailureError for an address that libpq cannot read; its own message quotes a part that may be the password."""
    for name, url in (("DATABASE_URL", settings.database_url), ("LISTEN_DATABASE_URL", settings.listen_database_url)):
        try:
            conninfo.conninfo_to_dict(url or "")
        except psycopg.ProgrammingError:
            text = "must be postgresql://user:password@host:port/name, with %XX for special characters"
            raise FailureError(USAGE, f"{name}: {text}") from None


def _of_database(error: psycopg.Error) -> str:
    hint = error.diag.message_hint
    if hint is None and isinstance(error, InsufficientPrivilege):
        hint = _RIGHTS
    elif hint is None:
        hint = next((words for pattern, words in _HINTS.items() if pattern.search(str(error))), None)
    return f"the database: {error.diag.message_primary or error}{f' ({hint})' if hint else ''}"


def _fault(fault: Any) -> str:
    """A wrong setting, by the name that it has in the environment."""
    text = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return text
    name = str(fault["loc"][0])
    return f"{name if name.isupper() else f'BOARDCAST_{name.upper()}'}: {text}"
