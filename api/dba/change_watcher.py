"""Wakes the streams of the trigger log when the feed has read changes.

Invariant: the number of streams is bounded. They are woken by reads that the feed makes anyway, and then query by
themselves.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from api.http.problems import Problem
from feed.delivery.publisher import Publisher
from feed.wire.event import Event
from feed.wire.observers import Observer

_MAX_STREAMS = 20


class ChangeWatcher(Observer):
    """`publisher` is the feed's in this process. Without one, streams are woken only when the service stops."""

    def __init__(self, publisher: Publisher | None) -> None:
        self._subscribers: set[asyncio.Event] = set()
        if publisher is not None:
            publisher.subscribe(self)

    def __len__(self) -> int:
        return len(self._subscribers)

    def require_room(self) -> None:
        """Raise a Problem if there is no room for another stream."""
        if len(self._subscribers) >= _MAX_STREAMS:
            raise Problem("overloaded", f"{_MAX_STREAMS} streams of the trigger log are open here; close one first.")

    @contextmanager
    def subscribe(self, changed: asyncio.Event) -> Iterator[None]:
        """Set the event at each change while the block runs."""
        self._subscribers.add(changed)
        try:
            yield
        finally:
            self._subscribers.discard(changed)

    def wake_all(self) -> None:
        for changed in self._subscribers:
            changed.set()

    def on_events(self, events: Sequence[Event]) -> None:  # noqa: ARG002 - each stream queries what it wants
        self.wake_all()

    def on_lost(self) -> None:
        self.wake_all()
