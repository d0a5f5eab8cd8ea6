"""A subscription: one client's place in the feed, whatever its transport.

Invariant: `cursor` is where the client can resume from: it has been written everything up to there. Live, that is the
hub's cursor, and publishing is one write that never waits. A client whose unread bytes pass its budget is `behind`: it
costs a cursor and no queue, until it has drained and is caught up from the log.
"""

from enum import Enum
from typing import NamedTuple, Protocol
from uuid import uuid4

from feed.batch import Batch, Boards
from feed.cursor import Cursor
from feed.encoding import Encoding
from feed.event import Grant, message
from feed.goodbye import Goodbye
from feed.principal import Principal


class Sink(Protocol):
    """Where the bytes go. Nothing here waits."""

    def write(self, data: bytes) -> None: ...

    def pending(self) -> int:
        """Bytes written and not yet taken by the kernel (or the reader)."""
        ...

    async def drained(self) -> None:
        """Wait until at most half of the budget is pending; returns too where the client is gone."""
        ...

    def close(self, goodbye: Goodbye, last: bytes) -> None:
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
        "shown",
        "sink",
        "spoke",
        "state",
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
        self.spoke = int(self.id[:4], 16)
        """Where it sits on the wheel."""
        self.principal = principal
        self.encoding = encoding
        self.sink = sink
        self.wanted = wanted
        """The boards it asked for; None: all that its user sees."""
        self.boards: Boards = frozenset()
        """What it is told: those of them that its user sees, at its place in the log."""
        self.state = State.BEHIND
        self.cursor = cursor
        self.owed = False
        """Whether it has been written events of a sweep whose cursor it does not have yet."""
        self.collapse = False
        """Whether it fell behind by being slow: then it is told the newest state of each row."""
        self.shown: Shown | None = None
        """What its client says that it has; see feed/acks.py."""
        self.realtime: str | None = None
        """What its client was told that its user is offered; None: nothing yet."""
        self.leaves: float | None = None
        """When it must have taken another way (loop time); None: it may stay."""
        self.heard: float | None = None
        """When the client last said anything (loop time), where its transport lets it."""
        self.budget = budget
        """Bytes that may lie unread."""

    def see(self, boards: Boards) -> None:
        """What its user sees now."""
        self.boards = boards if self.wanted is None else boards & self.wanted

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

    def tell_place(self, kind: str, cursor: str, **fields: object) -> None:
        """The same, of a message that says where the client stands."""
        self.sink.write(self.encoding.message(kind, message(kind, **fields, cursor=cursor), cursor))

    def end(self, goodbye: Goodbye, *, code: str, text: str) -> None:
        """End the stream for a fault of its client's, after an error that says which."""
        self.sink.close(goodbye, self.encoding.message("error", message("error", code=code, message=text)))

    def dismiss(self, goodbye: Goodbye, retry: int) -> None:
        """End the stream for a reason of ours; the client is to come back in `retry` milliseconds."""
        body = message("goodbye", reason=goodbye.name, retryMs=retry)
        self.sink.close(goodbye, self.encoding.goodbye(body, retry))

    def replay(self, batch: Batch) -> None:
        """Take a batch from before it came. It is told what its user sees today, and of what changed in that on the way."""
        start = 0
        for stop, event in enumerate(batch.events, 1):
            if event.grant is not None and event.grant.user == self.principal.user_id:
                # Before the cursor that covers it: who is cut off in between must be told again.
                self._take(Batch(batch.events[start:stop], None))
                self._tell_right(event.grant, holds=event.grant.board in self.boards)
                self.owed = True
                start = stop
        self._take(batch if start == 0 else Batch(batch.events[start:], batch.cursor))

    def _take(self, batch: Batch) -> None:
        if data := batch.encoded(self.boards, self.encoding):
            self.sink.write(data)
            self.owed = batch.cursor is None
        elif self.owed and batch.cursor is not None:
            self.sink.write(self.encoding.heartbeat(str(batch.cursor)))
            self.owed = False

    def obey(self, grant: Grant) -> None:
        """Take in a change of its user's rights, live, and tell him."""
        if grant.user is None:
            lost, self.boards = self.boards, frozenset()
            for board in sorted(lost):
                self.tell("board_revoked", boardId=board)
        elif grant.board is not None and (self.wanted is None or grant.board in self.wanted):
            before = self.boards
            self.boards = before - {grant.board} if grant.role is None else before | {grant.board}
            if self.boards != before:
                self._tell_right(grant, holds=grant.role is not None)

    def _tell_right(self, grant: Grant, *, holds: bool) -> None:
        if self.wanted is not None and grant.board not in self.wanted:
            return
        if holds:
            self.tell("board_granted", boardId=grant.board, role=grant.role)
        else:
            self.tell("board_revoked", boardId=grant.board)
