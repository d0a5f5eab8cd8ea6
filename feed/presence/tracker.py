"""Presence: who views and who edits which opportunity, and who views a board, across all instances.

Invariant: clients are sent the difference between two reads of the lease table, so they converge to it after a lost
notification, a killed instance or a restarted server. One statement renews all leases of this process.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import presence
from db.connection import PsycopgConnection
from db.presence import Lease, Place
from feed.delivery.connections import Connections
from feed.delivery.subscription import State, Subscription
from feed.presence.entries import Leases, merge_tabs, presence_fields, presence_json
from feed.system.database import Pool
from feed.system.tasks import BackgroundTask
from feed.wire.event import message, timestamp

CHANNEL = "boardcast_presence"
_RENEW_INTERVAL = 2.5
"""Seconds between renewals."""
_MIN_READ_INTERVAL = 0.05
"""Minimum seconds between reads: users who arrive together are announced together."""

RELEASE_TIMEOUT = 2.0
"""Seconds for releasing the leases when the service stops."""

log = structlog.get_logger()


class PresenceTracker(BackgroundTask):
    task_name = "presence"

    def __init__(self, instance: str, pool: Pool, connections: Connections) -> None:
        self._instance = instance
        self._pool = pool
        self._connections = connections
        self._held: defaultdict[str, dict[Place, Lease]] = defaultdict(dict)
        self._departed: set[str] = set()
        self._seen: Leases = {}
        self._owed: set[Subscription] = set()
        """Clients with too much unread data for the last change. They are sent the whole state once they have read."""
        self._wake = asyncio.Event()

    async def stop(self) -> None:
        """Release all leases. Idempotent; complete when it returns."""
        if self._task is None:
            return
        await super().stop()
        self._task = None
        held = [*self._held, *self._departed]
        if held:
            try:
                async with asyncio.timeout(RELEASE_TIMEOUT), self._pool.connection() as conn:
                    await presence.release(conn, held)
            except (psycopg.Error, PoolTimeout, TimeoutError):
                log.info("presence leases not released; they will expire")

    def wake(self) -> None:
        """Read the lease table now."""
        self._wake.set()

    def state(self, boards: Iterable[str]) -> list[dict[str, object]]:
        """Return the presence on some boards, as sent to clients."""
        wanted = set(boards)
        return presence_json(
            lease for users in self._seen.values() for lease in users.values() if lease.board_id in wanted
        )

    async def claim(self, subscription: Subscription, place: Place, action: str, base: int | None = None) -> bool:
        """Take or update a lease for a client. Return False if the place does not exist or the client cannot see it."""
        user = subscription.principal
        lease = Lease(subscription.id, user.user_id, user.name, place, action, base)
        held = self._held[subscription.id]
        before, held[place] = held.get(place), lease
        # Registered before the query: a client that disconnects meanwhile cancels the await, and leave() must find the lease.
        taken: set[Place] = set()
        try:
            async with self._pool.connection() as conn:
                taken = await presence.claim(conn, self._instance, [lease], sorted(subscription.permitted_boards))
        except asyncio.CancelledError:
            taken = {place}
            raise
        finally:
            if not taken:
                self._restore_lease(subscription.id, place, before)
        if subscription.state is State.CLOSED and taken:
            self._held[subscription.id][place] = lease
            self.leave(subscription)
        return bool(taken)

    def _restore_lease(self, connection: str, place: Place, before: Lease | None) -> None:
        held = self._held[connection]
        if before is not None:
            held[place] = before
        else:
            held.pop(place, None)
        if not held:
            del self._held[connection]

    def has_room(self, subscription: Subscription, place: Place, most: int) -> bool:
        """Return whether a client may claim a place, if it may hold this many leases."""
        held = self._held.get(subscription.id, {})
        return len(held) < most or place in held

    def count(self, action: str) -> int:
        """Return how many leases of this process have this action."""
        return sum(lease.action == action for held in self._held.values() for lease in held.values())

    def cards_viewed(self, subscription: Subscription) -> list[Place]:
        """Return the opportunities that a client views but does not edit."""
        held = self._held.get(subscription.id, {})
        return [place for place, lease in held.items() if place.opportunity_id and lease.action == "viewing"]

    async def release(self, subscription: Subscription, place: Place | None = None) -> None:
        """Release a client's lease on a place, or all of its leases."""
        held = self._held.get(subscription.id)
        if not held or (place is not None and held.pop(place, None) is None):
            return
        if place is None or not held:
            del self._held[subscription.id]
        async with self._pool.connection() as conn:
            await presence.release(conn, [subscription.id], place)

    def leave(self, subscription: Subscription) -> None:
        """Release all leases of a client that disconnected."""
        if self._held.pop(subscription.id, None) is not None:
            self._departed.add(subscription.id)
            self._wake.set()

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        renew_at = 0.0
        while True:
            try:
                async with self._pool.connection() as conn:
                    if clock() >= renew_at:
                        renew_at = clock() + _RENEW_INTERVAL
                        await self._renew(conn)
                    if self._departed:
                        gone = set(self._departed)
                        await presence.release(conn, sorted(gone))
                        self._departed -= gone
                    self._wake.clear()
                    self._send_changes(await presence.live(conn))
                    self._settle()
            except (psycopg.Error, PoolTimeout) as error:
                log.warning("presence update failed; retrying", error=str(error).strip())
                await asyncio.sleep(_RENEW_INTERVAL)
            await asyncio.sleep(_MIN_READ_INTERVAL)
            try:
                async with asyncio.timeout_at(renew_at):
                    await self._wake.wait()
            except TimeoutError:
                pass  # time to renew

    async def _renew(self, conn: PsycopgConnection) -> None:
        if self._held:
            leases = [lease for held in self._held.values() for lease in held.values()]
            renewed = await presence.renew(conn, leases)
            await self._retake(conn, [lease for lease in leases if (lease.connection, lease.place) not in renewed])
        await presence.expire(conn)

    async def _retake(self, conn: PsycopgConnection, leases: list[Lease]) -> None:
        """Take leases again that were lost, such as with a crashed server, or that the client is just taking."""
        lost = [lease for lease in leases if self._current(lease) is lease]
        if not lost:
            return
        await presence.claim(conn, self._instance, lost)
        for lease in lost:
            current = self._current(lease)
            if current is None:
                await presence.release(conn, [lease.connection], lease.place)
            elif current is not lease:
                await presence.claim(conn, self._instance, [current])

    def _current(self, lease: Lease) -> Lease | None:
        """Return the lease that the same client has on the same place now."""
        return self._held.get(lease.connection, {}).get(lease.place)

    def _send_changes(self, leases: list[presence.Presence]) -> None:
        seen = merge_tabs(leases)
        was, self._seen = self._seen, seen
        changed = [place for place in was.keys() | seen.keys() if was.get(place) != seen.get(place)]
        # Arrivals before departures, so that a user who moves from one place to another is never shown as away.
        for place in sorted(changed, key=lambda place: len(was.get(place, ())) - len(seen.get(place, ()))):
            self._send_change(place, was.get(place, {}), seen.get(place, {}))

    def _send_change(
        self, place: Place, before: dict[str, presence.Presence], after: dict[str, presence.Presence]
    ) -> None:
        opportunity, board = place.opportunity_id, next(iter((after or before).values())).board_id
        was = {user: lease for user, lease in before.items() if lease.action == "editing"}
        now = {user: lease for user, lease in after.items() if lease.action == "editing"}
        for user in was.keys() - now.keys():
            stopped = message("user_stopped_editing", opportunityId=opportunity, userId=user, timestamp=_now())
            self._send(board, "user_stopped_editing", stopped)
        for user, lease in now.items():
            if was.get(user) != lease:
                fields = presence_fields(lease)
                fields["timestamp"] = fields.pop("since")
                del fields["action"]
                self._send(board, "user_editing", message("user_editing", **fields))
        state = message(
            "presence_state", boardId=board, opportunityId=opportunity, presence=presence_json(after.values())
        )
        self._send(board, "presence_state", state)

    def _send(self, board: str, kind: str, body: bytes) -> None:
        self._owed.update(self._connections.send_to_board(board, kind, body))

    def _settle(self) -> None:
        """Send the whole state to clients that missed a change. One that recovers from the log gets it at the end of that."""
        for subscription in list(self._owed):
            if subscription.state is State.LIVE:
                state = message("presence_state", presence=self.state(subscription.boards))
                if not subscription.write(subscription.encoding.message("presence_state", state)):
                    continue
            self._owed.discard(subscription)


def _now() -> str:
    return timestamp(datetime.now(UTC))
