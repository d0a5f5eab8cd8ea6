"""Whoever waits in this process for a change of what he is offered.

Invariant: who waits is woken when it is not what he knows, and takes no connection to the database. Where too many wait already, of
all or of one user, nobody is kept: clients then ask less often.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from feed.delivery.publisher import Publisher
from feed.delivery.rollout import Rollout
from feed.wire.event import Event

_MOST = 5000
"""Each is a task and a socket, 29 KB."""


class Waiting:
    """`each` is how many may wait for one user."""

    def __init__(self, rollout: Rollout, publisher: Publisher, each: int) -> None:
        self._rollout = rollout
        self._each = each
        self._by_user: dict[str, dict[asyncio.Event, str]] = {}
        """Of each user the bells of those who wait, and what they know."""
        self._number = 0
        self._ended = False
        publisher.followers.append(self)

    def __len__(self) -> int:
        return self._number

    async def wait(self, user: str, known: str, seconds: float) -> None:
        """Return when a user is offered something else than he knows, at the latest after so long."""
        if self._ended or self._rollout.realtime(user) != known or not self._room(user):
            return
        bell = asyncio.Event()
        self._by_user.setdefault(user, {})[bell] = known
        self._number += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await bell.wait()
        finally:
            self._number -= 1
            del self._by_user[user][bell]
            if not self._by_user[user]:
                del self._by_user[user]

    def told(self, events: Sequence[Event]) -> None:
        if any(event.flag_change is not None for event in events):
            self._look()

    def lost(self) -> None:
        """The log may be another, and its flags."""
        self._look()

    def end(self) -> None:
        """Send everybody away: this instance stops."""
        self._ended = True
        for bells in self._by_user.values():
            for bell in bells:
                bell.set()

    def _room(self, user: str) -> bool:
        return self._number < _MOST and len(self._by_user.get(user, ())) < self._each

    def _look(self) -> None:
        for user, bells in self._by_user.items():
            realtime = self._rollout.realtime(user)
            for bell, known in bells.items():
                if realtime != known:
                    bell.set()
