"""What else of this process wants to know what the log says, beside the clients: a cache, for one."""

from collections.abc import Sequence
from typing import Protocol

from db.changelog import Change
from feed.wire.event import Event


class Reader(Protocol):
    """Called by the publisher with the changes themselves, before any client is told."""

    def read(self, changes: Sequence[Change]) -> None:
        """These have been read. At the end of the sweep they are told; one that fails is `lost`, and then read again."""

    def lost(self) -> None:
        """As a Follower is told."""


class Follower(Protocol):
    """Called by the publisher, which does not wait for it."""

    def told(self, events: Sequence[Event]) -> None:
        """These have been read. The hub's cursor covers them only later, so who sees it there has been told."""

    def lost(self) -> None:
        """The log is out of reach, or another than it was: what was concluded from it does not hold."""
