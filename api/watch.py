"""Who looks at the log: DBAs' streams and questions.

Invariant: they are few, and never a load. A few questions at a time have a connection each; whoever follows the log is woken by
what the hub reads anyway, and asks for himself.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.problems import Problem
from db import dba
from feed.delivery.publisher import Publisher
from feed.wire.event import Event

_STREAMS = 20
_QUESTIONS = 3


class Watch:
    """`publisher` is the hub's; None in a process without one, where nobody is woken."""

    def __init__(self, engine: AsyncEngine, publisher: Publisher | None) -> None:
        self._engine = engine
        self._turns = asyncio.Semaphore(_QUESTIONS)
        self._bells: set[asyncio.Event] = set()
        if publisher is not None:
            publisher.followers.append(self)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Wait for one's turn, and read (see db.dba.reading)."""
        async with self._turns, dba.reading(self._engine) as conn:
            yield conn

    def require_room(self) -> None:
        if len(self._bells) >= _STREAMS:
            raise Problem("overloaded", f"{_STREAMS} streams of the trigger log are open here: close one")

    @contextmanager
    def bell(self) -> Iterator[asyncio.Event]:
        """Be woken as long as the block runs."""
        bell = asyncio.Event()
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)

    def ring(self) -> None:
        """Wake everybody."""
        for bell in self._bells:
            bell.set()

    def told(self, events: Sequence[Event]) -> None:  # noqa: ARG002 - everybody asks for what he wants
        self.ring()

    def lost(self) -> None:
        self.ring()
