"""What else of this process wants to know what the log says, beside the clients: a cache, for one."""

from collections.abc import Sequence
from typing import Protocol

from feed.event import Event


class Follower(Protocol):
    """Called by the tailer, which does not wait for it."""

    def told(self, events: Sequence[Event]) -> None:
        """These have been read. The hub's cursor covers them only later, so who sees it there has been told."""

    def lost(self) -> None:
        """The log is out of reach, or another than it was: what was concluded from it does not hold."""
