"""The connection registry: which clients follow which boards, and the fan-out to them.

Invariant: `publish` never awaits. Clients with the same boards and encoding form one group and share the encoded bytes.
A change of rights inside a batch takes effect after the event that carries it and before the next event.
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
class DeliveryCounts:
    """Delivery statistics since the last take_counts(): events written, receivers per board, and clients that were too slow."""

    deliveries: int = 0
    slow: int = 0
    boards: dict[str, int] = field(default_factory=dict)


class Connections:
    def __init__(self, metrics: Metrics, on_fell_behind: Callable[[Subscription], None]) -> None:
        """`on_fell_behind` is called with each client that could not take a batch. Its cursor is where the read pass began."""
        self._metrics = metrics
        self._on_fell_behind = on_fell_behind
        self._groups: defaultdict[Group, dict[Subscription, None]] = defaultdict(dict)
        """Insertion-ordered, which roughly follows memory order. Iterating over a set would jump all over memory."""
        self._by_user: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._count = 0
        self._counts = DeliveryCounts()
        self._batch_end_due = False
        """Whether some client is waiting for the end of the current batch."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Subscription]:
        for subscriptions in list(self._by_user.values()):
            yield from list(subscriptions)

    def count_for_user(self, user: str) -> int:
        """Return how many connections a user has."""
        return len(self._by_user.get(user, ()))

    def add(self, subscription: Subscription) -> None:
        """Register a client. It receives nothing until it goes live."""
        self._by_user[subscription.principal.user_id].add(subscription)
        self._count += 1
        self._metrics.connections.labels(subscription.encoding.name).inc()

    def remove(self, subscription: Subscription) -> None:
        """Unregister a client. Idempotent."""
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
        """Deliver events to a client from the next batch on. The client must be exactly at the head."""
        subscription.state = State.LIVE
        self._groups[subscription.boards, subscription.encoding][subscription] = None

    def fall_behind(self, subscription: Subscription, cursor: Cursor) -> None:
        """Stop delivering to a client and set its cursor."""
        self._ungroup(subscription)
        subscription.state = State.BEHIND
        subscription.cursor = cursor

    def set_boards(self, subscription: Subscription, boards: Boards | None, visible: Boards) -> None:
        """Change which boards a client follows; None means all of the `visible` ones."""
        live = subscription.state is State.LIVE
        self._ungroup(subscription)
        subscription.requested = boards
        subscription.set_visible(visible)
        if live:
            self.go_live(subscription)

    def publish(self, batch: Batch, since: Cursor, offset: int) -> None:
        """Write a batch to all live clients. `offset` is where the replay buffer has it; the read pass began at `since`."""
        start = 0
        if batch.grants:
            for stop, event in enumerate(batch.events, 1):
                if event.grant is not None:
                    self._write_batch(Batch(batch.events[start:stop], None), since, (offset, start))
                    self._apply_grant(event.grant)
                    start = stop
        self._write_batch(batch.tail(start), since, (offset, start))

    def take_counts(self) -> DeliveryCounts:
        """Return the statistics and reset them."""
        counts, self._counts = self._counts, DeliveryCounts()
        return counts

    def send_to_board(self, board: str, kind: str, body: bytes) -> list[Subscription]:
        """Send a message that is not in the log, and therefore has no cursor, to all live clients of a board.

        Return those that did not get it because they have too much unread data.
        """
        missed = []
        for (boards, encoding), subscriptions in self._groups.items():
            if board in boards:
                data = encoding.message(kind, body)
                missed += [subscription for subscription in subscriptions if not subscription.write(data)]
        return missed

    def watched(self, boards: set[str]) -> set[str]:
        """Return those of the boards that at least one live client follows."""
        return set().union(*(seen & boards for seen, _ in self._groups))

    def send_to_boards(self, kind: str, bodies: Mapping[str, bytes], cursor: str) -> None:
        """Send each board's message, valid at `cursor`, to its live clients, skipping clients with too much unread data."""
        encoded: dict[tuple[str, Encoding], bytes] = {}
        for (boards, encoding), subscriptions in self._groups.items():
            for board in boards & bodies.keys():
                data = encoded.get((board, encoding))
                if data is None:
                    data = encoded[board, encoding] = encoding.message(kind, bodies[board], cursor)
                for subscription in subscriptions:
                    subscription.write(data)

    def send_subscribed(self, subscription: Subscription, head: Cursor | None) -> None:
        """Send `subscribed` to a live client: now if `head` is given, or at the end of the current batch if it is None."""
        if subscription.subscribed_pending and subscription.state is State.LIVE:
            if head is None:
                self._batch_end_due = True
            else:
                subscription.send_subscribed(str(head))

    def finish_batch(self, cursor: str) -> None:
        """End a batch: send its cursor to clients whose last event came without one, and send pending `subscribed` messages."""
        if not self._batch_end_due:
            return
        self._batch_end_due = False
        for subscription in self:
            if subscription.state is not State.LIVE:
                continue
            if subscription.mid_batch:
                subscription.sink.write(subscription.encoding.heartbeat(cursor))
                subscription.mid_batch = False
            if subscription.subscribed_pending:
                subscription.send_subscribed(cursor)

    def _write_batch(self, batch: Batch, since: Cursor, position: tuple[int, int]) -> None:
        slow: list[Subscription] = []
        part, end_due, counts = batch.cursor is None, self._batch_end_due, self._counts
        written: dict[Encoding, tuple[int, int]] = {}
        clients: dict[str, int] = {}
        self._batch_end_due = end_due or part
        for (boards, encoding), subscriptions in self._groups.items():
            if not (data := batch.encoded(boards, encoding)):
                continue
            size, late = len(data), len(slow)
            for subscription in subscriptions:  # inlined Subscription.write(): this is the hottest loop of the service
                sink = subscription.sink
                if (pending := sink.pending()) and pending + size > subscription.budget:
                    slow.append(subscription)
                    continue
                sink.write(data)
                if part or end_due:
                    subscription.mid_batch = part
            receivers = len(subscriptions) - len(slow) + late
            delivered = len(batch.visible_to(boards)) * receivers
            events, bytes_ = written.get(encoding, (0, 0))
            written[encoding] = events + delivered, bytes_ + receivers * size
            for board in batch.boards:
                if board in boards:
                    clients[board] = clients.get(board, 0) + receivers
        for encoding, (events, bytes_) in written.items():
            self._metrics.delivered(encoding.name, events, bytes_)
            counts.deliveries += events
        counts.slow += len(slow)
        counts.boards.update(clients)
        for subscription in slow:
            self.fall_behind(subscription, since)
            # The client keeps the part of the batch that it already received, and continues from here.
            subscription.interrupted_at = position if subscription.mid_batch else None
            self._on_fell_behind(subscription)

    def _apply_grant(self, grant: Grant) -> None:
        if grant.user is None:
            affected = [s for s in self if s.state is State.LIVE]
        else:
            affected = [s for s in self._by_user.get(grant.user, ()) if s.state is State.LIVE]
        for subscription in affected:
            self._ungroup(subscription)
            subscription.apply_grant(grant)
            self._batch_end_due = self._batch_end_due or subscription.mid_batch
            self.go_live(subscription)

    def _ungroup(self, subscription: Subscription) -> None:
        group = subscription.boards, subscription.encoding
        if (subscriptions := self._groups.get(group)) is not None:
            subscriptions.pop(subscription, None)
            if not subscriptions:
                del self._groups[group]
