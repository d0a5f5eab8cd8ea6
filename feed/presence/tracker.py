"""Presence: who views and who edits which opportunity, and who looks at a board, across all instances.

Invariant: what clients are told is the difference between two reads of the lease table, so a lost notification, a killed
instance and a restarted server all end in the truth. One statement renews all the leases of this process. Several tabs
are one user: he edits while any of them does.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import presence
from db.changelog import Connection
from db.presence import Lease, Place
from feed.delivery.connections import Connections
from feed.delivery.subscription import State, Subscription
from feed.system.database import Pool
from feed.system.tasks import end
from feed.wire.event import message, timestamp

CHANNEL = "boardcast_presence"
_BEAT = 2.5
"""Seconds between renewals."""
_PAUSE = 0.05
"""Seconds between reads: many who come at once are told at once."""

RELEASE_TIMEOUT = 2.0
"""Seconds to give the leases back when the service stops."""

LOOKERS = 50
"""How many of those who look at a board are told. Each is told to each: a thousand who come back at once would be 10^6 entries."""

Seen = dict[Place, dict[str, presence.Presence]]
"""By place, by user."""

log = structlog.get_logger()


class PresenceTracker:
    def __init__(self, instance: str, pool: Pool, connections: Connections) -> None:
        self._instance = instance
        self._pool = pool
        self._connections = connections
        self._held: defaultdict[str, dict[Place, Lease]] = defaultdict(dict)
        self._gone: set[str] = set()
        self._seen: Seen = {}
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="presence")

    async def stop(self) -> None:
        """Give back all leases. Idempotent; complete when it returns."""
        if self._task is None:
            return
        await end(self._task)
        self._task = None
        held = [*self._held, *self._gone]
        if held:
            try:
                async with asyncio.timeout(RELEASE_TIMEOUT), self._pool.connection() as conn:
                    await presence.release(conn, held)
            except (psycopg.Error, PoolTimeout, TimeoutError):
                log.info("the leases could not be given back; they run out by themselves")

    def ring(self) -> None:
        """Look at once."""
        self._bell.set()

    def state(self, boards: Iterable[str]) -> list[dict[str, object]]:
        """Who is where on some boards, as clients are told."""
        wanted = set(boards)
        return told(one for users in self._seen.values() for one in users.values() if one.board_id in wanted)

    async def claim(self, subscription: Subscription, place: Place, action: str, base: int | None = None) -> bool:
        """Note that a client has a place open; False where there is none that it can see."""
        user = subscription.principal
        lease = Lease(subscription.id, user.user_id, user.name, place, action, base)
        held = self._held[subscription.id]
        before, held[place] = held.get(place), lease
        # Ours from here on: who is cut off while it is being taken is cancelled in the await, and leave() must find it.
        taken: set[Place] = set()
        try:
            async with self._pool.connection() as conn:
                taken = await presence.claim(conn, self._instance, [lease], sorted(subscription.offered))
        except asyncio.CancelledError:
            taken = {place}
            raise
        finally:
            if not taken:
                self._put_back(subscription.id, place, before)
        if subscription.state is State.CLOSED and taken:
            self._held[subscription.id][place] = lease
            self.leave(subscription)
        return bool(taken)

    def _put_back(self, connection: str, place: Place, before: Lease | None) -> None:
        held = self._held[connection]
        if before is not None:
            held[place] = before
        else:
            held.pop(place, None)
        if not held:
            del self._held[connection]

    def count(self, action: str) -> int:
        """How many leases with this action are held here."""
        return sum(lease.action == action for held in self._held.values() for lease in held.values())

    def cards_viewed(self, subscription: Subscription) -> list[Place]:
        """The opportunities that a client looks at and does not edit."""
        held = self._held.get(subscription.id, {})
        return [place for place, lease in held.items() if place.opportunity_id and lease.action == "viewing"]

    async def release(self, subscription: Subscription, place: Place | None = None) -> None:
        """Note that a client has closed a place, or all of them."""
        held = self._held.get(subscription.id)
        if not held or (place is not None and held.pop(place, None) is None):
            return
        if place is None or not held:
            del self._held[subscription.id]
        async with self._pool.connection() as conn:
            await presence.release(conn, [subscription.id], place)

    def leave(self, subscription: Subscription) -> None:
        """The client is gone."""
        if self._held.pop(subscription.id, None) is not None:
            self._gone.add(subscription.id)
            self._bell.set()

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        beat = 0.0
        while True:
            try:
                async with self._pool.connection() as conn:
                    if clock() >= beat:
                        beat = clock() + _BEAT
                        await self._renew(conn)
                    if self._gone:
                        gone = set(self._gone)
                        await presence.release(conn, sorted(gone))
                        self._gone -= gone
                    self._bell.clear()
                    self._tell(await presence.live(conn))
            except (psycopg.Error, PoolTimeout) as error:
                log.warning("presence is out of reach", error=str(error).strip())
                await asyncio.sleep(_BEAT)
            except Exception:
                log.exception("presence failed")
                await asyncio.sleep(_BEAT)
            await asyncio.sleep(_PAUSE)
            try:
                async with asyncio.timeout_at(beat):
                    await self._bell.wait()
            except TimeoutError:
                pass  # time to renew

    async def _renew(self, conn: Connection) -> None:
        if self._held:
            leases = [lease for held in self._held.values() for lease in held.values()]
            await presence.claim(conn, self._instance, leases)
        await presence.expire(conn)

    def _tell(self, leases: list[presence.Presence]) -> None:
        seen = by_user(leases)
        was, self._seen = self._seen, seen
        changed = [place for place in was.keys() | seen.keys() if was.get(place) != seen.get(place)]
        # Where somebody came before where somebody left: who goes from the one to the other is never away.
        for place in sorted(changed, key=lambda place: len(was.get(place, ())) - len(seen.get(place, ()))):
            self._tell_one(place, was.get(place, {}), seen.get(place, {}))

    def _tell_one(
        self, place: Place, before: dict[str, presence.Presence], after: dict[str, presence.Presence]
    ) -> None:
        opportunity, board = place.opportunity_id, next(iter((after or before).values())).board_id
        was = {user: one for user, one in before.items() if one.action == "editing"}
        now = {user: one for user, one in after.items() if one.action == "editing"}
        for user in was.keys() - now.keys():
            stopped = message("user_stopped_editing", opportunityId=opportunity, userId=user, timestamp=_now())
            self._connections.announce(board, "user_stopped_editing", stopped)
        for user, one in now.items():
            if was.get(user) != one:
                fields = _told(one)
                fields["timestamp"] = fields.pop("since")
                del fields["action"]
                self._connections.announce(board, "user_editing", message("user_editing", **fields))
        state = message("presence_state", boardId=board, opportunityId=opportunity, presence=told(after.values()))
        self._connections.announce(board, "presence_state", state)


def by_user(leases: Iterable[presence.Presence]) -> Seen:
    """Many tabs are one user: one lease for each of them and place, editing before viewing. The leases are oldest first."""
    seen: Seen = defaultdict(dict)
    for lease in leases:
        users = seen[lease.place]
        before = users.get(lease.user_id)
        if before is None and lease.place.board_id is not None and len(users) >= LOOKERS:
            continue
        if before is None or (before.action, lease.action) == ("viewing", "editing"):
            users[lease.user_id] = lease
    return dict(seen)


def told(leases: Iterable[presence.Presence]) -> list[dict[str, object]]:
    """What a client is told of them: the `presence` of a presence_state message."""
    return [_told(one) for one in leases]


def _now() -> str:
    return timestamp(datetime.now(UTC))


def _told(one: presence.Presence) -> dict[str, object]:
    told: dict[str, object] = {
        "opportunityId": one.opportunity_id,
        "boardId": one.board_id,
        "userId": one.user_id,
        "userName": one.user_name,
        "action": one.action,
        "since": timestamp(one.started_at),
    }
    if one.base_version is not None:
        told["baseVersion"] = one.base_version
    return told
