"""Long polls: requests that are held until the transport that a user is offered changes.

Invariant: a held request returns as soon as the offer differs from what its client knows, and holds no database
connection. Above the total limit or the limit per user, a request returns at once, and its client polls less often.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from feed.delivery.publisher import Publisher
from feed.delivery.rollout import Rollout
from feed.wire.event import Event
from feed.wire.observers import Observer

_MAX_HELD = 5000
"""Requests. Each is a task and a socket, 29 KB."""


class LongPolls(Observer):
    def __init__(self, rollout: Rollout, publisher: Publisher, max_per_user: int) -> None:
        self._rollout = rollout
        self._max_per_user = max_per_user
        self._held: dict[str, dict[asyncio.Event, str]] = {}
        """For each user, the events that release their requests, with the transport that each client knows."""
        self._number = 0
        self._released = False
        publisher.subscribe(self)

    def __len__(self) -> int:
        return self._number

    async def wait_for_change(self, user_id: str, known: str, seconds: float) -> None:
        """Return when a user is offered something other than `known`, or after `seconds`."""
        if self._released or self._rollout.best_transport(user_id) != known or not self._has_room(user_id):
            return
        changed = asyncio.Event()
        self._held.setdefault(user_id, {})[changed] = known
        self._number += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await changed.wait()
        finally:
            self._number -= 1
            del self._held[user_id][changed]
            if not self._held[user_id]:
                del self._held[user_id]

    def on_events(self, events: Sequence[Event]) -> None:
        if any(event.flag_change is not None for event in events):
            self._release_changed()

    def on_lost(self) -> None:
        """The log may have been replaced, and the flags with it."""
        self._release_changed()

    def release_all(self) -> None:
        """Release every request, because this instance stops."""
        self._released = True
        for held in self._held.values():
            for changed in held:
                changed.set()

    def _has_room(self, user_id: str) -> bool:
        return self._number < _MAX_HELD and len(self._held.get(user_id, ())) < self._max_per_user

    def _release_changed(self) -> None:
        for user_id, held in self._held.items():
            realtime = self._rollout.best_transport(user_id)
            for changed, known in held.items():
                if realtime != known:
                    changed.set()
