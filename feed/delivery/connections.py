"""The connection manager: who listens to which boards, and the fan-out to them.

Invariant: `publish` never awaits. Clients that see the same boards in the same encoding are one group and share the bytes.
A right that changes inside a batch takes effect after the event that changes it and before the next.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from feed.delivery.subscription import State, Subscription
from feed.telemetry.metrics import Metrics
from feed.wire.batch import Batch, Boards
from feed.wire.cursor import Cursor
from feed.wire.encoding import Encoding
from feed.wire.event import Grant

Group = tuple[Boards, Encoding]


@dataclass(slots=True)
class Tally:
    """What has been told: events written to live clients, how many of these see each board, how many could not take them."""

    deliveries: int = 0
    late: int = 0
    boards: dict[str, int] = field(default_factory=dict)


class Connections:
    def __init__(self, metrics: Metrics, fell_behind: Callable[[Subscription], None]) -> None:
        """`fell_behind` is called with each client that could not take a batch; it stands where the sweep began."""
        self._metrics = metrics
        self._fell_behind = fell_behind
        self._groups: defaultdict[Group, dict[Subscription, None]] = defaultdict(dict)
        """In the order in which they came, which is mostly that of memory: a set's is a walk through all of it."""
        self._by_user: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._count = 0
        self._tally = Tally()
        self._owing = False
        """Whether a client waits for the end of the batch."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Subscription]:
        for subscriptions in list(self._by_user.values()):
            yield from list(subscriptions)

    def of_user(self, user: str) -> int:
        """How many connections a user has."""
        return len(self._by_user.get(user, ()))

    def add(self, subscription: Subscription) -> None:
        """Register a client; it is told nothing before it goes live."""
        self._by_user[subscription.principal.user_id].add(subscription)
        self._count += 1
        self._metrics.connections.labels(subscription.encoding.name).inc()

    def remove(self, subscription: Subscription) -> None:
        """Forget a client. Idempotent."""
        if subscription.state is State.CLOSED:
            return
        self._ungroup(subscription)
        subscription.state = State.CLOSED
        user = subscription.principal.user_id
        self._by_user[user].discard(subscription)
        if not self._by_user[user]:
            del self._by_user[user]
        self._count -= 1
        self._metrics.connections.labels(subscription.encoding.name).dec()

    def go_live(self, subscription: Subscription) -> None:
        """From the next batch on it is sent what the others are. It must stand exactly at the hub's place."""
        subscription.state = State.LIVE
        self._groups[subscription.boards, subscription.encoding][subscription] = None

    def fall_behind(self, subscription: Subscription, cursor: Cursor) -> None:
        """Send it no more; it stands at this cursor."""
        self._ungroup(subscription)
        subscription.state = State.BEHIND
        subscription.cursor = cursor

    def want(self, subscription: Subscription, boards: Boards | None, visible: Boards) -> None:
        """Send a client the events of other boards from its place on; None: of all the `visible` ones."""
        live = subscription.state is State.LIVE
        self._ungroup(subscription)
        subscription.wanted = boards
        subscription.see(visible)
        if live:
            self.go_live(subscription)

    def publish(self, batch: Batch, since: Cursor, place: int) -> None:
        """Write a batch to all who are live; it has this place in the replay buffer, and `since` is where its sweep began."""
        start = 0
        if batch.grants:
            for stop, event in enumerate(batch.events, 1):
                if event.grant is not None:
                    self._write(Batch(batch.events[start:stop], None), since, (place, start))
                    self._obey(event.grant)
                    start = stop
        self._write(batch.after(start), since, (place, start))

    def count(self) -> Tally:
        """What has been told since this was last asked for."""
        tally, self._tally = self._tally, Tally()
        return tally

    def announce(self, board: str, kind: str, body: bytes) -> None:
        """Tell all who see a board something that is not in the log, and so has no cursor."""
        for (boards, encoding), subscriptions in self._groups.items():
            if board in boards:
                data = encoding.message(kind, body)
                for subscription in subscriptions:
                    subscription.write(data)

    def watched(self, boards: set[str]) -> set[str]:
        """Those of the boards that somebody sees who is live."""
        return set().union(*(seen & boards for seen, _ in self._groups))

    def tell(self, kind: str, bodies: Mapping[str, bytes], cursor: str) -> None:
        """Tell all who see a board, and are live, what is true of it at the hub's cursor; but not who has too much unread."""
        encoded: dict[tuple[str, Encoding], bytes] = {}
        for (boards, encoding), subscriptions in self._groups.items():
            for board in boards & bodies.keys():
                data = encoded.get((board, encoding))
                if data is None:
                    data = encoded[board, encoding] = encoding.message(kind, bodies[board], cursor)
                for subscription in subscriptions:
                    subscription.write(data)

    def confirm(self, subscription: Subscription, head: Cursor | None) -> None:
        """Send `subscribed` to a live client: now, with the hub's cursor, or at the end of the batch if one is under way (None)."""
        if subscription.unconfirmed and subscription.state is State.LIVE:
            if head is None:
                self._owing = True
            else:
                subscription.confirm(str(head))

    def settle(self, cursor: str) -> None:
        """At the end of a batch: send its cursor to clients whose last event came without one, and `subscribed` where it is due."""
        if not self._owing:
            return
        self._owing = False
        for subscription in self:
            if subscription.state is not State.LIVE:
                continue
            if subscription.owed:
                subscription.sink.write(subscription.encoding.heartbeat(cursor))
                subscription.owed = False
            if subscription.unconfirmed:
                subscription.confirm(cursor)

    def _write(self, batch: Batch, since: Cursor, place: tuple[int, int]) -> None:
        slow: list[Subscription] = []
        part, owing, tally = batch.cursor is None, self._owing, self._tally
        written: dict[Encoding, tuple[int, int]] = {}
        clients: dict[str, int] = {}
        self._owing = owing or part
        for (boards, encoding), subscriptions in self._groups.items():
            if not (data := batch.encoded(boards, encoding)):
                continue
            size, late = len(data), len(slow)
            for subscription in subscriptions:  # as Subscription.write, in place: of all code this is run the most
                sink = subscription.sink
                if (pending := sink.pending()) and pending + size > subscription.budget:
                    slow.append(subscription)
                    continue
                sink.write(data)
                if part or owing:
                    subscription.owed = part
            took = len(subscriptions) - len(slow) + late
            told = len(batch.told(boards)) * took
            events, bytes_ = written.get(encoding, (0, 0))
            written[encoding] = events + told, bytes_ + took * size
            for board in batch.boards:
                if board in boards:
                    clients[board] = clients.get(board, 0) + took
        for encoding, (events, bytes_) in written.items():
            self._metrics.delivered(encoding.name, events, bytes_)
            tally.deliveries += events
        tally.late += len(slow)
        tally.boards.update(clients)
        for subscription in slow:
            self.fall_behind(subscription, since)
            # What it was sent of this batch is not sent again: it goes on from here.
            subscription.torn = place if subscription.owed else None
            self._fell_behind(subscription)

    def _obey(self, grant: Grant) -> None:
        if grant.user is None:
            concerned = [s for s in self if s.state is State.LIVE]
        else:
            concerned = [s for s in self._by_user.get(grant.user, ()) if s.state is State.LIVE]
        for subscription in concerned:
            self._ungroup(subscription)
            subscription.obey(grant)
            self._owing = self._owing or subscription.owed
            self.go_live(subscription)

    def _ungroup(self, subscription: Subscription) -> None:
        group = subscription.boards, subscription.encoding
        if (subscriptions := self._groups.get(group)) is not None:
            subscriptions.pop(subscription, None)
            if not subscriptions:
                del self._groups[group]
