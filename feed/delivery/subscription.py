"""A subscription: one client's place in the feed, whatever its transport.

Invariant: `cursor` is where the client can resume from: it was sent everything up to there. While it is live, that is the
hub's cursor, and publishing is one write that never waits. A client whose unread bytes exceed its budget is `behind`: it
costs a cursor and no queue, until it has drained and is caught up from the log. Nothing is sent twice on one connection, and no
cursor is sent while its client holds a part of a batch, unless it ends that batch.
"""

from enum import Enum
from typing import NamedTuple, Protocol
from uuid import uuid4

from feed.delivery.rights import Rights
from feed.wire.batch import Batch, Boards
from feed.wire.close_codes import CloseReason
from feed.wire.cursor import Cursor
from feed.wire.encoding import Encoding
from feed.wire.event import Grant, message
from feed.wire.principal import Principal


class Sink(Protocol):
    """Where the bytes go. Nothing here waits."""

    def write(self, data: bytes) -> None: ...

    def pending(self) -> int:
        """Bytes written and not yet taken by the kernel (or the reader)."""
        ...

    async def drained(self) -> None:
        """Wait until at most half of the budget is pending; returns too where the client is gone."""
        ...

    def close(self, reason: CloseReason, last: bytes) -> None:
        """Send the last bytes and end the stream in order, soon."""
        ...

    def abort(self) -> None:
        """Drop the connection and all its unread bytes, now."""
        ...


class Shown(NamedTuple):
    """A cursor that a client has shown, as text too, and when, by the monotonic clock."""

    cursor: Cursor
    text: str
    at: float


class State(Enum):
    BEHIND = "behind"
    """Being caught up, or waiting for its socket to drain."""
    LIVE = "live"
    CLOSED = "closed"


class Subscription:
    __slots__ = (
        "begun",
        "boards",
        "budget",
        "collapse",
        "cursor",
        "encoding",
        "heard",
        "id",
        "leaves",
        "owed",
        "principal",
        "realtime",
        "rights",
        "shown",
        "sink",
        "slot",
        "state",
        "torn",
        "unconfirmed",
        "visible",
        "wanted",
    )

    def __init__(
        self,
        principal: Principal,
        encoding: Encoding,
        sink: Sink,
        wanted: Boards | None,
        cursor: Cursor,
        *,
        budget: int,
    ) -> None:
        self.id = uuid4().hex
        self.slot = int(self.id[:4], 16)
        """Its place on the timing wheel of the heartbeats."""
        self.principal = principal
        self.encoding = encoding
        self.sink = sink
        self.wanted = wanted
        """The boards it asked for; None: all that its user sees."""
        self.rights = Rights(principal.user_id, frozenset())
        """The boards that its user sees at its place in the log, as far as its client knows."""
        self.begun = False
        """Whether they are set: not before its first event, nor after a `reset`."""
        self.visible: Boards = frozenset()
        """The boards that its user sees now: what is replayed to it is nothing else."""
        self.boards: Boards = frozenset()
        """The boards whose events it is sent: those of both, as far as it wants them."""
        self.state = State.BEHIND
        self.cursor = cursor
        self.owed = False
        """Whether it was sent a part of a batch whose cursor has not come yet."""
        self.torn: tuple[int, int] | None = None
        """Where it fell behind inside a batch: the place of the replay buffer and the event from which it goes on."""
        self.unconfirmed = False
        """Whether `subscribed` is still to be sent."""
        self.collapse = False
        """Whether it fell behind by being slow: then it is told the newest state of each row."""
        self.shown: Shown | None = None
        """What its client says that it has; see feed/registry/client_positions.py."""
        self.realtime: str | None = None
        """What its client was told that its user is offered; None: nothing yet."""
        self.leaves: float | None = None
        """When it must have taken another way (loop time); None: it may stay."""
        self.heard: float | None = None
        """When the client last said anything (loop time), where its transport lets it."""
        self.budget = budget
        """Bytes that may lie unread."""

    def stand(self, rights: Rights) -> None:
        """Set what its user sees at its place in the log."""
        self.rights = rights
        self._choose()

    def see(self, visible: Boards) -> None:
        """Set what its user sees now."""
        self.visible = visible
        self._choose()

    @property
    def offered(self) -> Boards:
        """The boards that its user sees now, as far as it wants them."""
        return self.visible if self.wanted is None else self.visible & self.wanted

    def write(self, data: bytes) -> bool:
        """Queue bytes for the socket; False where the client has too many unread, and nothing was written."""
        pending = self.sink.pending()
        if pending and pending + len(data) > self.budget:
            return False
        self.sink.write(data)
        return True

    def tell(self, kind: str, **fields: object) -> None:
        """Send a message that is no event."""
        self.sink.write(self.encoding.message(kind, message(kind, **fields)))

    def tell_place(self, kind: str, cursor: str | None, **fields: object) -> None:
        """The same, of a message that says where the client stands; without a cursor it says nothing of that."""
        place = {} if cursor is None else {"cursor": cursor}
        self.sink.write(self.encoding.message(kind, message(kind, **fields, **place), cursor))

    def confirm(self, cursor: str) -> None:
        """Send `subscribed`: the boards whose events it receives after this cursor."""
        self.unconfirmed = False
        self.tell_place("subscribed", cursor, boards=sorted(self.offered))

    def end(self, reason: CloseReason, *, code: str, text: str) -> None:
        """End the stream for a fault of its client's, after an error that says which."""
        self.sink.close(reason, self.encoding.message("error", message("error", code=code, message=text)))

    def dismiss(self, reason: CloseReason, retry: int) -> None:
        """End the stream for a reason of ours; the client is to come back in `retry` milliseconds."""
        body = message("goodbye", reason=reason.name, retryMs=retry)
        self.sink.close(reason, self.encoding.goodbye(body, retry))

    def replay(self, batch: Batch) -> None:
        """Send a batch from before it went live, and what changed in its user's rights on the way."""
        if not any(self.rights.concern(grant) for grant in batch.grants):
            self._take(batch)
            return
        start = 0
        for stop, event in enumerate(batch.events, 1):
            if event.grant is not None and self.rights.concern(event.grant):
                # Before the cursor that covers it: a client that is cut off in between is sent it again.
                self._take(Batch(batch.events[start:stop], None))
                self.apply(event.grant)
                start = stop
        self._take(batch.after(start))

    def apply(self, grant: Grant) -> None:
        """Move past a change of its user's rights, and send what they are to know of it."""
        for change in self.rights.apply(grant, self.visible):
            self._tell_right(change)
        self._choose()

    def obey(self, grant: Grant) -> None:
        """The same, live: from now on its user sees other boards."""
        if grant.user is None or grant.board is None:
            self.visible = frozenset()
        elif grant.role is None:
            self.visible -= {grant.board}
        else:
            self.visible |= {grant.board}
        self.apply(grant)

    def _take(self, batch: Batch) -> None:
        if data := batch.encoded(self.boards, self.encoding):
            self.sink.write(data)
            self.owed = batch.cursor is None
        elif self.owed and batch.cursor is not None:
            self.sink.write(self.encoding.heartbeat(str(batch.cursor)))
            self.owed = False

    def _tell_right(self, change: Grant) -> None:
        if self.wanted is not None and change.board not in self.wanted:
            return
        if change.role is None:
            self.tell("board_revoked", boardId=change.board)
        else:
            self.tell("board_granted", boardId=change.board, role=change.role)
        self.owed = True

    def _choose(self) -> None:
        boards = self.rights.boards & self.visible
        self.boards = boards if self.wanted is None else boards & self.wanted
