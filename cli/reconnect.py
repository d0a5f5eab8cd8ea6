"""Reconnects after the database was lost, and reports it to the user.

Invariant: an outage is reported once, and its end once, on standard error. Errors that trying again cannot fix are raised.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
import typer

from cli.failures import FailureError, one_line
from db.readiness import NotReadyError
from feed.system.backoff import backoff

T = TypeVar("T")

_TEMPORARY = ("starting up", "shutting down", "recovery", "not yet accepting", "too many", "remaining connection slots")


class Reconnect:
    def __init__(self) -> None:
        self._was_connected = False
        """Once it was, every failure to connect is taken to be temporary."""
        self._lost_at: float | None = None

    async def connect(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeat `attempt` until it succeeds."""
        for seconds in backoff():
            try:
                return await attempt()
            except Exception as error:
                if not self._is_temporary(error):
                    raise
                self.lost(error)
            await asyncio.sleep(seconds)
        raise AssertionError("backoff() does not end")

    def lost(self, error: Exception) -> None:
        """Report the outage, unless it is known."""
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            reason = "no answer" if isinstance(error, TimeoutError) else one_line(str(error))
            notice(f"database unavailable, retrying: {reason}")

    def restored(self, *, complete: bool) -> None:
        """Report the end of the outage. `complete`: the changes that were written meanwhile will be shown."""
        self._was_connected = True
        if self._lost_at is not None:
            rest = "; no changes are missing" if complete else ""
            notice(f"database available again after {time.monotonic() - self._lost_at:.0f} s{rest}")
            self._lost_at = None

    def _is_temporary(self, error: Exception) -> bool:
        if isinstance(error, psycopg.OperationalError | OSError | TimeoutError):
            return self._was_connected or not _is_refusal(error)
        return self._was_connected and isinstance(error, NotReadyError | psycopg.InterfaceError | FailureError)


def notice(message: str) -> None:
    """Tell the user something beside the results."""
    typer.echo(f"boardcast: {message}", err=True)


def _is_refusal(error: Exception) -> bool:
    """Whether a server answered, and will answer the same the next time."""
    return "FATAL" in str(error) and not any(words in str(error) for words in _TEMPORARY)
