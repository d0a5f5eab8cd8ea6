"""The prefetch: asks what is new in the very callback that receives the notification.

Invariant: an answer is what is new since `prepare`, and each preparation is asked for once: between `take` and the next
`prepare` nothing is asked. A notification that arrives while a question is under way may belong to a commit that the
question's snapshot does not show: the tailer is woken once more.
"""

import asyncio
from collections.abc import Callable

import psycopg

from db import changelog
from db.changelog import Chunk, Row, Seen
from feed.tailing.session import Session

FEW = 512
"""Rows that are asked for: the listener's backend must be done soon, and what is more is read over another connection."""
_PATIENCE = 1.0
"""Seconds in which the listener's connection must answer; another one is asked then."""


class Prefetch:
    """Asks nothing while no session is attached. `again` is called for a notification that came too late."""

    def __init__(self, again: Callable[[], None]) -> None:
        self._again = again
        self._session: Session | None = None
        self._question: changelog.Question | None = None
        self._few = 0
        self._answer: asyncio.Future[list[Row]] | None = None
        self._late = False

    def attach(self, session: Session | None) -> None:
        """Ask this one from now on, or nobody."""
        self._session = session

    def prepare(self, since: Seen, most: int) -> None:
        """Set what to ask next: what is new since then, given only if it is no more than `most` rows."""
        self._drop()
        self._few = min(FEW, most)
        self._question = changelog.fresh(since, self._few)

    def notified(self) -> None:
        """A notification arrived: ask at once."""
        if self._answer is not None:
            self._late = True
        else:
            self._ask()

    def invalidate(self) -> None:
        """Drop an answer that was not taken yet and ask again: a caller needs what was committed since."""
        if self._question is not None:
            self._drop()

    async def take(self) -> Chunk | None:
        """What is new since `prepare`; None where that is too much, or cannot be asked now."""
        self._ask()
        self._question, answer = None, self._answer
        if answer is None:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                rows = await answer
        except (psycopg.Error, TimeoutError):
            return None  # whether the connection is lost is for the listener to find out
        finally:
            self._drop()
        return changelog.answered(rows, self._few)

    def _ask(self) -> None:
        if self._answer is None and self._question is not None and self._session is not None and self._session.free:
            self._answer = self._session.ask(*self._question)

    def _drop(self) -> None:
        late, self._late = self._late, False
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None
        if late:
            self._again()
