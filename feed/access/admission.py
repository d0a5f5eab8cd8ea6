"""Admission: whether a stream may begin here, and when.

Invariant: who is refused is told why, and when to come back where that is for us to say. Whether there is room is asked when one's
turn has come, not before.
"""

import random

from db.settings import Settings
from feed.access.rate_limit import RateLimitedError, RateLimiter
from feed.delivery.connections import Connections
from feed.delivery.rollout import AGAIN, Rollout
from feed.wire.close_codes import NOT_OFFERED, OVERLOADED, RESTART, TOO_MANY, CloseReason
from feed.wire.encoding import Encoding
from feed.wire.principal import Principal

_SPREAD = 5_000
"""Milliseconds over which the clients of a service that restarts are asked to come back."""


class RefusedError(Exception):
    """A stream that cannot begin; `reason` says why, `retry` when to come back (milliseconds) where that is for us to say."""

    def __init__(self, reason: CloseReason, retry: int | None = None) -> None:
        super().__init__(reason.meaning)
        self.reason = reason
        self.retry = retry


class Admission:
    """Where it is `draining`, nobody is let in any more."""

    def __init__(self, settings: Settings, connections: Connections, rollout: Rollout) -> None:
        self._settings = settings
        self._connections = connections
        self._rollout = rollout
        self._rate_limiter = RateLimiter(settings.arrivals)
        self.draining = False

    async def arrive(self, principal: Principal, encoding: Encoding) -> None:
        """Wait for one's turn to begin a stream. Raises RefusedError, also where there is no room for another of this user."""
        if not self._rollout.offered(principal.user_id, encoding):
            raise RefusedError(NOT_OFFERED, AGAIN)
        try:
            await self._rate_limiter.turn()
        except RateLimitedError as error:
            raise RefusedError(OVERLOADED, error.retry) from error
        if self.draining:
            raise RefusedError(RESTART, some_time())
        if len(self._connections) >= self._settings.connections:
            raise RefusedError(OVERLOADED, some_time())
        if self._connections.of_user(principal.user_id) >= self._settings.user_connections:
            raise RefusedError(TOO_MANY)


def some_time() -> int:
    """When to come back, in milliseconds: another time for each client."""
    return random.randint(100, _SPREAD)  # noqa: S311 - spreads load, guards nothing
