"""What goes wrong on the command line, as one table: an exit status and one line for each failure that is not a fault of ours.

Invariant: no line has a password in it. What is not in the table is a fault of ours, and shown with its traceback.
"""

import re
from typing import Any

import psycopg
from psycopg import conninfo
from pydantic import ValidationError
from typer.exceptions import TyperException

from db.embedded import EmbeddedError
from db.pgbin import BinariesError
from db.settings import Settings
from feed.database import NotReadyError

USAGE = 2
"""Arguments or settings."""
DATABASE = 3
"""The database is not there, refuses, or is not one to work with."""
TAKEN = 4
"""A port, a file or the embedded server's directory cannot be had."""

_LINES = re.compile(r"([:.;,?])?\s*\n\s*")


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
            hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
            status, text = DATABASE, f"the database: {error.diag.message_primary or error}{hint}"
        case EmbeddedError() | BinariesError():
            status, text = TAKEN, str(error)
        case OSError():
            status, text = TAKEN, f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}"
        case _:
            return None
    return status, _LINES.sub(lambda end: (end[1] or ";") + " ", text.strip())


def check_urls(settings: Settings) -> None:
    """Raise FailureError for an address that libpq cannot read; its own message quotes a part that may be the password."""
    for name, url in (("DATABASE_URL", settings.database_url), ("LISTEN_DATABASE_URL", settings.listen_database_url)):
        try:
            conninfo.conninfo_to_dict(url or "")
        except psycopg.ProgrammingError:
            text = "must be postgresql://user:password@host:port/name, with %XX for special characters"
            raise FailureError(USAGE, f"{name}: {text}") from None


def _fault(fault: Any) -> str:
    """A wrong setting, by the name that it has in the environment."""
    text = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return text
    name = str(fault["loc"][0])
    return f"{name if name.isupper() else f'BOARDCAST_{name.upper()}'}: {text}"
