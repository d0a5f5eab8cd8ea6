"""The prefetch: queries the log in the same callback that receives the notification.

Invariant: a result contains what is new since the head given to `prepare`. Between `take` and the next `prepare` no query is
sent. A notification that arrives while a query is running may belong to a commit that the query's snapshot does not show, so
the tailer is woken once more.
"""

import asyncio
from collections.abc import Callable

import psycopg

from db.changelog.changes import Chunk
from db.changelog.positions import Seen
from db.changelog.prefetch import PreparedQuery, prefetch_query, prefetch_result
from db.connection import Row
from feed.tailing.session import Session

MAX_ROWS = 512
"""Row limit of the query. The listener's backend must be free again soon, so larger reads use another connection."""
_TIMEOUT = 1.0
"""Seconds in which the listener's connection must answer; after that, the tailer uses its own connection."""


class Prefetch:
    """Sends nothing while no session is attached. `wake` is called if a notification arrived while a query was running."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._session: Session | None = None
        self._query: PreparedQuery | None = None
        self._max_rows = 0
        self._pending: asyncio.Future[list[Row]] | None = None
        self._notified_again = False

    def attach(self, session: Session | None) -> None:
        """Use this session from now on; None: send no queries."""
        self._session = session

    def prepare(self, since: Seen, max_rows: int) -> None:
        """Set the next query: what is new since `since`. It returns rows only if there are no more than `max_rows`."""
        self._discard()
        self._max_rows = min(MAX_ROWS, max_rows)
        self._query = prefetch_query(since, self._max_rows)

    def on_notify(self) -> None:
        """Send the query now, because a notification arrived."""
        if self._pending is not None:
            self._notified_again = True
        else:
            self._send()

    def invalidate(self) -> None:
        """Drop a result that was not taken yet, so that `take` queries again: a caller needs what was committed since."""
        if self._query is not None:
            self._discard()

    async def take(self) -> Chunk | None:
        """What is new since `prepare`; None if that is too many rows, or if no query can be sent now."""
        self._send()
        self._query, pending = None, self._pending
        if pending is None:
            return None
        try:
            async with asyncio.timeout(_TIMEOUT):
                rows = await pending
        except (psycopg.Error, TimeoutError):
            return None  # the listener finds out whether the connection is lost
        finally:
            self._discard()
        return prefetch_result(rows, self._max_rows)

    def _send(self) -> None:
        if self._pending is None and self._query is not None and self._session is not None and self._session.is_idle:
            self._pending = self._session.query(*self._query)

    def _discard(self) -> None:
        notified_again, self._notified_again = self._notified_again, False
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        if notified_again:
            self._wake()
