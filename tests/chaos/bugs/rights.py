"""Bugs in who may see what."""

import time
from collections.abc import Callable
from typing import Any

from tests.chaos.bugs.bug import Bug, bug
from tests.chaos.bugs.patch import MissingError, wrap

_OLD = 2.0


@bug("revoked-still-served", "leak", "membership")
def revoked_still_served() -> None:
    """Who is taken off a board is sent its events as before."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def init(self: Any, kind: str, change: Any, body: bytes) -> None:
            original(self, kind, change, body)
            if self.grant is not None and self.grant.role is None:
                self.grant = None

        return init

    wrap("feed.wire.event:Event.__init__", make)


@bug("stale-boards", "lost", "leak", "membership", "stale")
def stale_boards() -> None:
    """What a user sees is remembered for two seconds."""
    known: dict[tuple[int, str], tuple[float, Any]] = {}

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def boards(self: Any, user: str) -> Any:
            at, seen = known.get((id(self), user), (0.0, None))
            if time.monotonic() - at > _OLD:
                seen = original(self, user)
                known[id(self), user] = time.monotonic(), seen
            return seen

        return boards

    wrap("feed.delivery.memberships:Memberships.boards", make)


@bug("wanted-ignored", "leak")
def wanted_ignored() -> None:
    """Who asked for some boards is sent all."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def init(self: Any, *given: Any, **named: Any) -> None:
            original(self, *given, **named)
            if not hasattr(self, "requested"):
                raise MissingError("Subscription.requested is not there any more")
            self.requested = None

        return init

    wrap("feed.delivery.subscription:Subscription.__init__", make)


RIGHTS: tuple[Bug, ...] = (revoked_still_served, stale_boards, wanted_ignored)
