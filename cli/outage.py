"""A database that is out of reach: whether to wait for it, and what people are told of it.

Invariant: an outage is said once, and its end once, on standard error. What will not be otherwise the next time is not waited for.
"""

import time

import psycopg
import typer

from cli.failures import FailureError, in_one_line
from feed.system.database import NotReadyError

_PASSING = ("starting up", "shutting down", "recovery", "not yet accepting", "too many", "remaining connection slots")


class Outage:
    def __init__(self) -> None:
        self.known = False
        """Whether the database has been reached: from then on whatever is wrong with it is taken to pass."""
        self._since: float | None = None

    def passes(self, error: Exception) -> bool:
        """Whether to try again."""
        if isinstance(error, psycopg.OperationalError | OSError | TimeoutError):
            waits = self.known or not _refused(error)
        else:
            waits = self.known and isinstance(error, NotReadyError | psycopg.InterfaceError | FailureError)
        if waits:
            self.begins(error)
        return waits

    def begins(self, error: Exception) -> None:
        if self._since is None:
            self._since = time.monotonic()
            what = "it does not answer" if isinstance(error, TimeoutError) else in_one_line(str(error))
            say(f"the database is out of reach, trying again: {what}")

    def ends(self, *, whole: bool) -> None:
        """`whole`: what was written meanwhile will be shown."""
        self.known = True
        if self._since is not None:
            rest = "; nothing is left out" if whole else ""
            say(f"the database is back after {time.monotonic() - self._since:.0f} s{rest}")
            self._since = None


def say(text: str) -> None:
    """Tell people something that is not what they asked for."""
    typer.echo(f"boardcast: {text}", err=True)


def _refused(error: Exception) -> bool:
    """Whether a server has answered, and will not answer otherwise the next time."""
    return "FATAL" in str(error) and not any(words in str(error) for words in _PASSING)
