"""The rollout of transports: clients learn which one their user is offered, and leave one that is no longer offered.

Invariant: every open stream has been sent what holds at the hub's cursor, in auth_success or in a `flags` message. A
client has some time to leave a stream that is no longer offered, so that it changes without a gap; a new stream is
refused at once.
"""

import asyncio
from collections.abc import Sequence

from feed.delivery.connections import Connections
from feed.delivery.flags import offers
from feed.delivery.publisher import Publisher
from feed.delivery.subscription import Subscription
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import NOT_OFFERED
from feed.wire.encoding import Encoding
from feed.wire.event import Event

_TO_LEAVE = 10.0
"""Seconds that a client has to take another way."""
AGAIN = 60_000
"""Milliseconds after which one who knows nothing of flags may look whether he is let in again."""


class Rollout:
    def __init__(self, publisher: Publisher, connections: Connections, metrics: Metrics) -> None:
        self._publisher = publisher
        self._connections = connections
        self._metrics = metrics
        publisher.followers.append(self)

    def offered(self, user: str, encoding: Encoding) -> bool:
        """Whether a user may begin a stream of this kind."""
        return offers(self.realtime(user), encoding.way)

    def realtime(self, user: str | None) -> str:
        """What a user is offered now."""
        return self._publisher.flags.realtime(user)

    def greet(self, subscription: Subscription, resume: str, cursor: str | None = None) -> None:
        """Tell a client who it is, what it sees and is offered, and where it stands, if it stands where it wanted to."""
        realtime = self.realtime(subscription.principal.user_id)
        self._set(subscription, realtime)
        subscription.tell_place(
            "auth_success",
            cursor,
            userId=subscription.principal.user_id,
            connectionId=subscription.id,
            boards=sorted(subscription.offered),
            realtime=realtime,
            resume=resume,
        )

    def told(self, events: Sequence[Event]) -> None:
        if any(event.flag_change is not None for event in events):
            self._steer()

    def lost(self) -> None:
        """The log may be another, and its flags."""
        self._steer()

    def dismiss(self, subscription: Subscription) -> None:
        """End a stream that was to be left."""
        subscription.dismiss(NOT_OFFERED, retry=AGAIN)
        self._metrics.closed.labels(NOT_OFFERED.name).inc()

    def _steer(self) -> None:
        for subscription in self._connections:
            now = self.realtime(subscription.principal.user_id)
            if subscription.realtime not in {None, now}:
                self._set(subscription, now)
                subscription.tell("flags", realtime=now)

    def _set(self, subscription: Subscription, realtime: str) -> None:
        subscription.realtime = realtime
        may_stay = offers(realtime, subscription.encoding.way)
        subscription.leaves = None if may_stay else asyncio.get_running_loop().time() + _TO_LEAVE
