"""The rollout of transports: reports to clients which transport their user may use, and ends streams that it no longer allows.

Invariant: the value at the head was sent on every open stream, in auth_success or in a `flags` message. A client gets
some time to leave a transport that is no longer allowed, so it can switch without a gap; new streams are refused at once.
"""

import asyncio
from collections.abc import Sequence

from feed.delivery.connections import Connections
from feed.delivery.flags import allows
from feed.delivery.publisher import Publisher
from feed.delivery.subscription import Subscription
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import NOT_OFFERED
from feed.wire.encoding import Encoding
from feed.wire.event import Event
from feed.wire.observers import Observer

_SWITCH_TIMEOUT = 10.0
"""Seconds a client has to switch to an allowed transport."""
RETRY_MS = 60_000
"""Retry delay in milliseconds for refused clients that do not understand flags."""


class Rollout(Observer):
    def __init__(self, publisher: Publisher, connections: Connections, metrics: Metrics) -> None:
        self._publisher = publisher
        self._connections = connections
        self._metrics = metrics
        publisher.subscribe(self)

    def allows_transport(self, user: str, encoding: Encoding) -> bool:
        """Return whether a user may start a stream with this encoding."""
        return allows(self.best_transport(user), encoding.transport)

    def best_transport(self, user: str | None) -> str:
        """Return the best transport that a user may use now."""
        return self._publisher.flags.best_transport(user)

    def send_auth_success(self, subscription: Subscription, resume: str, cursor: str | None = None) -> None:
        """Send auth_success: user, boards, allowed transport, and the cursor if the client could resume from it."""
        realtime = self.best_transport(subscription.principal.user_id)
        self._set_transport(subscription, realtime)
        subscription.send_with_cursor(
            "auth_success",
            cursor,
            userId=subscription.principal.user_id,
            connectionId=subscription.id,
            boards=sorted(subscription.permitted_boards),
            realtime=realtime,
            resume=resume,
        )

    def on_events(self, events: Sequence[Event]) -> None:
        if any(event.flag_change is not None for event in events):
            self._send_flags()

    def on_lost(self) -> None:
        """Recheck every stream: the log, and with it the flags, may have been replaced."""
        self._send_flags()

    def close(self, subscription: Subscription) -> None:
        """Close a stream whose client did not switch in time."""
        subscription.close(NOT_OFFERED, retry=RETRY_MS)
        self._metrics.closed.labels(NOT_OFFERED.name).inc()

    def _send_flags(self) -> None:
        for subscription in self._connections:
            best = self.best_transport(subscription.principal.user_id)
            if subscription.realtime not in {None, best}:
                self._set_transport(subscription, best)
                subscription.send("flags", realtime=best)

    def _set_transport(self, subscription: Subscription, realtime: str) -> None:
        subscription.realtime = realtime
        allowed = allows(realtime, subscription.encoding.transport)
        subscription.leave_by = None if allowed else asyncio.get_running_loop().time() + _SWITCH_TIMEOUT
