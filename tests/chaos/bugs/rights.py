"""Bugs in access rights."""

import time
from collections.abc import Callable
from typing import Any

from tests.chaos.bugs.bug import Bug, bug
from tests.chaos.bugs.patch import MissingError, wrap

_STALE_SECONDS = 2.0


@bug("revoked-still-served", "leak", "membership")
def revoked_still_served() -> None:
    """A removed member is still sent the events of the board."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def init(self: Any, kind: str, change: Any, body: bytes) -> None:
            original(self, kind, change, body)
            if self.grant is not None and self.grant.role is None:
                self.grant = None

        return init

    wrap("feed.wire.event:Event.__init__", make)


@bug("stale-boards", "lost", "leak", "membership", "stale")
def stale_boards() -> None:
    """The boards of a user are cached for two seconds."""
    known: dict[tuple[int, str], tuple[float, Any]] = {}

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def boards(self: Any, user: str) -> Any:
            at, seen = known.get((id(self), user), (0.0, None))
            if time.monotonic() - at > _STALE_SECONDS:
                seen = original(self, user)
                known[id(self), user] = time.monotonic(), seen
            return seen

        return boards

    wrap("feed.delivery.memberships:Memberships.boards", make)


@bug("wanted-ignored", "leak")
def wanted_ignored() -> None:
    """A client that asked for some boards is sent all."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            if not hasattr(self, "requested"):
                raise MissingError("Subscription.requested does not exist any more")
            self.requested = None

        return init

    wrap("feed.delivery.subscription:Subscription.__init__", make)


RIGHTS: tuple[Bug, ...] = (revoked_still_served, stale_boards, wanted_ignored)
