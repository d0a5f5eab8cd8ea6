"""Whoever waits in this process for a change of what he is offered.

Invariant: who waits is woken when it is not what he knows, and takes no connection to the database. Where too many wait already
nobody is kept: clients then ask less often.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from feed.event import Event
from feed.steering import Steering
from feed.tailer import Tailer

_MOST = 5000
"""Each is a task and a socket, 29 KB."""


class Waiting:
    def __init__(self, steering: Steering, tailer: Tailer) -> None:
        self._steering = steering
        self._by_bell: dict[asyncio.Event, tuple[str, str]] = {}
        """The bell of each, his user and what he knows."""
        self._ended = False
        tailer.followers.append(self)

    def __len__(self) -> int:
        return len(self._by_bell)

    async def wait(self, user: str, known: str, seconds: float) -> None:
        """Return when a user is offered something else than he knows, at the latest after so long."""
        if self._ended or self._steering.realtime(user) != known or len(self) >= _MOST:
            return
        bell = asyncio.Event()
        self._by_bell[bell] = user, known
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await bell.wait()
        finally:
            del self._by_bell[bell]

    def told(self, events: Sequence[Event]) -> None:
        if any(event.ruling is not None for event in events):
            self._look()

    def lost(self) -> None:
        """The log may be another, and its flags."""
        self._look()

    def end(self) -> None:
        """Send everybody away: this instance stops."""
        self._ended = True
        for bell in self._by_bell:
            bell.set()

    def _look(self) -> None:
        for bell, (user, known) in self._by_bell.items():
            if self._steering.realtime(user) != known:
                bell.set()
