"""A subscription: the state of one client, whatever its transport.

Invariant: the client can resume from `cursor`: everything up to there was sent to it. For a live client that is the head,
and publishing is one write that never waits. A client whose unread bytes exceed its budget is `behind`: it costs a cursor
but no queue, until it has read its backlog and recovered from the log. Nothing is sent twice on one connection, and while
a client holds part of a batch, only the end of that batch is sent with a cursor.
"""

from collections.abc import Iterable
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

_MAX_UNKNOWN_BOARDS = 10
"""Boards of a message that get an error each."""


class Sink(Protocol):
    """Where the bytes of a client go. Only drained() waits."""

    def write(self, data: bytes) -> None: ...

    def pending(self) -> int:
        """Return the bytes written but not yet taken by the kernel (or the reader)."""
        ...

    async def drained(self) -> None:
        """Wait until at most half of the budget is pending, or the client is gone."""
        ...

    def close(self, reason: CloseReason, last: bytes) -> None:
        """Send `last`, then end the stream gracefully, soon."""
        ...

    def abort(self) -> None:
        """Drop the connection and its unread bytes immediately."""
        ...


class ReportedCursor(NamedTuple):
    """A cursor that a client reported, its text, and when (monotonic clock)."""

    cursor: Cursor
    text: str
    at: float


class State(Enum):
    BEHIND = "behind"
    """Recovering, or waiting for its socket to drain."""
    LIVE = "live"
    CLOSED = "closed"


class Subscription:
    __slots__ = (
        "boards",
        "budget",
        "collapse_from",
        "cursor",
        "encoding",
        "id",
        "interrupted_at",
        "last_seen",
        "leave_by",
        "mid_batch",
        "principal",
        "realtime",
        "reported",
        "requested",
        "rights",
        "rights_set",
        "sink",
        "slot",
        "state",
        "subscribed_pending",
        "visible",
    )

    def __init__(
        self,
        principal: Principal,
        encoding: Encoding,
        sink: Sink,
        requested: Boards | None,
        cursor: Cursor,
        *,
        budget: int,
    ) -> None:
        self.id = uuid4().hex
        self.slot = int(self.id[:4], 16)
        """Slot on the timing wheel of the heartbeats."""
        self.principal = principal
        self.encoding = encoding
        self.sink = sink
        self.requested = requested
        """The boards the client asked for; None means all that its user sees."""
        self.rights = Rights(principal.user_id, frozenset())
        """The boards its user sees at the client's position in the log, as far as the client knows."""
        self.rights_set = False
        """Whether `rights` are valid: they are not before the first event and after a `reset`."""
        self.visible: Boards = frozenset()
        """The boards its user sees now. A replay sends events of these boards only."""
        self.boards: Boards = frozenset()
        """The boards whose events are sent: those in `rights`, `visible` and `requested`."""
        self.state = State.BEHIND
        self.cursor = cursor
        self.mid_batch = False
        """Whether the client was sent part of a batch whose cursor is still to come."""
        self.interrupted_at: tuple[int, int] | None = None
        """Where the client fell behind inside a batch: the offset in the replay buffer, and the index of the next event."""
        self.subscribed_pending = False
        """Whether `subscribed` is still to be sent."""
        self.collapse_from: int | None = None
        """With at least this many changes to catch up on, the client receives only the newest state of each row; None: never."""
        self.reported: ReportedCursor | None = None
        """The last cursor that the client reported; see feed/registry/client_positions.py."""
        self.realtime: str | None = None
        """The best allowed transport, as last sent to the client; None before auth_success."""
        self.leave_by: float | None = None
        """When the client must have switched transports (loop time); None if it may stay."""
        self.last_seen: float | None = None
        """When the client last sent anything (loop time); None if that is unknown, as over SSE."""
        self.budget = budget
        """Maximum number of unread bytes."""

    def set_rights(self, rights: Rights) -> None:
        """Set the boards its user sees at the client's position in the log."""
        self.rights = rights
        self._update_boards()

    def set_visible(self, visible: Boards) -> None:
        """Set the boards its user sees now."""
        self.visible = visible
        self._update_boards()

    @property
    def permitted_boards(self) -> Boards:
        """The requested boards that its user sees now."""
        return self.visible if self.requested is None else self.visible & self.requested

    def write(self, data: bytes) -> bool:
        """Write bytes to the socket. Return False, and write nothing, if the client has too much unread data."""
        pending = self.sink.pending()
        if pending and pending + len(data) > self.budget:
            return False
        self.sink.write(data)
        return True

    def send(self, kind: str, **fields: object) -> None:
        """Send a message that is not an event."""
        self.sink.write(self.encoding.message(kind, message(kind, **fields)))

    def send_with_cursor(self, kind: str, cursor: str | None, **fields: object) -> None:
        """Send a message that carries the client's position; with None, omit the cursor."""
        cursor_field = {} if cursor is None else {"cursor": cursor}
        self.sink.write(self.encoding.message(kind, message(kind, **fields, **cursor_field), cursor))

    def send_subscribed(self, cursor: str) -> None:
        """Send `subscribed`: the boards whose events the client receives after this cursor."""
        self.subscribed_pending = False
        self.send_with_cursor("subscribed", cursor, boards=sorted(self.permitted_boards))

    def send_unknown_boards(self, boards: Iterable[str]) -> None:
        """Answer a request for boards that the user cannot see. A message may name a thousand of them."""
        unknown = sorted(boards)
        for board in unknown[:_MAX_UNKNOWN_BOARDS]:
            self.send("error", code="unknown_board", message=f"there is no board {board!r} that you can see")
        if (more := len(unknown) - _MAX_UNKNOWN_BOARDS) > 0:
            self.send(
                "error",
                code="unknown_board",
                message=f"{more} more of these boards do not exist, or you cannot see them",
            )

    def close_with_error(self, reason: CloseReason, *, code: str, text: str) -> None:
        """Close the stream because of a client's error, after an `error` message."""
        self.sink.close(reason, self.encoding.message("error", message("error", code=code, message=text)))

    def close(self, reason: CloseReason, retry: int) -> None:
        """Close the stream after a `goodbye`: the client should reconnect in `retry` milliseconds."""
        body = message("goodbye", reason=reason.name, retryMs=retry)
        self.sink.close(reason, self.encoding.goodbye(body, retry))

    def replay(self, batch: Batch) -> None:
        """Send a batch from before the client went live, and the changes of its user's rights on the way."""
        if not any(self.rights.concerns(grant) for grant in batch.grants):
            self._write_batch(batch)
            return
        start = 0
        for stop, event in enumerate(batch.events, 1):
            if event.grant is not None and self.rights.concerns(event.grant):
                # Sent before the cursor that covers it, so a client that is cut off in between receives it again.
                self._write_batch(Batch(batch.events[start:stop], None))
                self._advance_rights(event.grant)
                start = stop
        self._write_batch(batch.tail(start))

    def _advance_rights(self, grant: Grant) -> None:
        """Move past a change of the user's rights, and send the resulting grants."""
        for change in self.rights.apply(grant, self.visible):
            self._send_grant(change)
        self._update_boards()

    def apply_grant(self, grant: Grant) -> None:
        """Apply a change of the user's rights to a live client."""
        if grant.user is None or grant.board is None:
            self.visible = frozenset()
        elif grant.role is None:
            self.visible -= {grant.board}
        else:
            self.visible |= {grant.board}
        self._advance_rights(grant)

    def _write_batch(self, batch: Batch) -> None:
        if data := batch.encoded(self.boards, self.encoding):
            self.sink.write(data)
            self.mid_batch = batch.cursor is None
        elif self.mid_batch and batch.cursor is not None:
            self.sink.write(self.encoding.heartbeat(str(batch.cursor)))
            self.mid_batch = False

    def _send_grant(self, change: Grant) -> None:
        if self.requested is not None and change.board not in self.requested:
            return
        if change.role is None:
            self.send("board_revoked", boardId=change.board)
        else:
            self.send("board_granted", boardId=change.board, role=change.role)
        self.mid_batch = True

    def _update_boards(self) -> None:
        boards = self.rights.boards & self.visible
        self.boards = boards if self.requested is None else boards & self.requested
