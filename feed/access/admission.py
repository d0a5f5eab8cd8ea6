"""Admission: whether a stream may start here, and when.

Invariant: a refused client receives the reason and, if it is known, the time to retry. Capacity is checked after the
rate limit, because others may take it while a client waits.
"""

import random

from db.settings import Settings
from feed.access.rate_limit import RateLimitedError, RateLimiter
from feed.delivery.connections import Connections
from feed.delivery.rollout import RETRY_MS, Rollout
from feed.system.descriptors import descriptors
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import NOT_OFFERED, OVERLOADED, RESTART, TOO_MANY, CloseReason
from feed.wire.encoding import Encoding
from feed.wire.principal import Principal

_RESTART_SPREAD = 5_000
"""Milliseconds over which the clients of a restarting service are spread when they reconnect."""


class RefusedError(Exception):
    """A stream was refused. `reason` says why; `retry` is when to retry, in milliseconds, if that is known."""

    def __init__(self, reason: CloseReason, retry: int | None = None) -> None:
        super().__init__(reason.meaning)
        self.reason = reason
        self.retry = retry


class Admission:
    """Decides on new streams. While `draining` is set, all are refused."""

    def __init__(self, settings: Settings, connections: Connections, rollout: Rollout, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._connections = connections
        self._rollout = rollout
        self._rate_limiter = RateLimiter(settings.connection_rate)
        self.draining = False

    async def admit(self, principal: Principal, encoding: Encoding) -> None:
        """Wait until a stream of this user may start. Raises RefusedError.

        Open the stream before anything else is awaited: until then it does not count.
        """
        if not self._rollout.allows_transport(principal.user_id, encoding):
            raise RefusedError(NOT_OFFERED, RETRY_MS)
        self._require_room_for(principal)  # or a user with too many streams would use up what others need of the rate
        try:
            await self._rate_limiter.acquire()
        except RateLimitedError as error:
            raise RefusedError(OVERLOADED, error.retry) from error
        if self.draining:
            raise RefusedError(RESTART, random_retry())
        if len(self._connections) >= self._settings.max_connections:
            raise RefusedError(OVERLOADED, random_retry())
        left, reserve = descriptors()
        if left <= 2 * reserve:
            self._metrics.limited.labels("descriptors").inc()
            raise RefusedError(OVERLOADED, random_retry())
        self._require_room_for(principal)

    def _require_room_for(self, principal: Principal) -> None:
        if self._connections.count_for_user(principal.user_id) >= self._settings.max_user_connections:
            raise RefusedError(TOO_MANY)


def random_retry() -> int:
    """Return a random retry delay in milliseconds."""
    return random.randint(100, _RESTART_SPREAD)  # noqa: S311 - spreads load, protects nothing
