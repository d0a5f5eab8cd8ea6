"""Checkpoints: what a board contains at a cursor, sent to its clients so that they can verify their copy.

Invariant: a checkpoint describes the table at the moment of its cursor. One query counts a board; its snapshot shows which
of the changes read meanwhile are already included. From then on every change updates the count. If the effect of a change
is unknown (a bulk change, an unreachable log), the board is dropped and counted again when needed. A board that keeps
changing is recounted every minute: if the table differs from the log, something wrote without firing the triggers.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import gap_reports
from db.changelog.changes import WHOLE_TABLE_OPS, Change
from db.gap_reports import BoardDigest
from feed.delivery.connections import Connections
from feed.delivery.subscription import State, Subscription
from feed.integrity.board_count import BoardCount
from feed.integrity.board_hash import BoardHash
from feed.integrity.gap_reports import GapReports
from feed.system.database import Pool
from feed.system.tasks import BackgroundTask
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import parse_snapshot
from feed.wire.event import message
from feed.wire.observers import Observer

_RECOUNT_AFTER = 60.0
"""Seconds after which a board is recounted."""
_MIN_COUNT_AGE = 2.0
"""Seconds after a count during which requests cause no recount."""
_LOAD_TIMEOUT = 30.0
"""Seconds for reading a board."""
COUNT_TIMEOUT = 8.0
"""Seconds to its next rows."""
_RETRY_DELAY = 1.0

log = structlog.get_logger()


class _Drift(NamedTuple):
    """A difference between the table and what was derived from the log, at a cursor."""

    board: str
    cursor: str
    table: BoardDigest
    derived: BoardDigest


class Checkpoints(BackgroundTask, Observer):
    task_name = "checkpoints"

    def __init__(
        self,
        interval: float,
        pool: Pool,
        tailer: Tailer,
        connections: Connections,
        gap_reports: GapReports,
        metrics: Metrics,
    ) -> None:
        """Send checkpoints of a changing board at most every `interval` seconds; 0: only on request."""
        self._interval = interval
        self._pool = pool
        self._tailer = tailer
        self._connections = connections
        self._gap_reports = gap_reports
        self._metrics = metrics
        self._boards: dict[str, BoardCount] = {}
        self._due: dict[str, float] = {}
        """Boards that changed, and when their checkpoint is due, in this order."""
        self._due_now: set[str] = set()
        """Boards whose checkpoint is due at the end of this read pass."""
        self._requests: dict[str, set[Subscription]] = {}
        self._counted: dict[str, BoardCount] = {}
        self._scheduled: dict[str, None] = {}
        self._drifts: list[_Drift] = []
        self._wake = asyncio.Event()
        tailer.publisher.subscribe(self)

    def request(self, subscription: Subscription, board: str) -> None:
        """Send a client the checkpoint of a board that it sees, at the end of a read pass at which it is live."""
        self._requests.setdefault(board, set()).add(subscription)
        if not self.request_recount(board):
            self._tailer.wake()

    def request_recount(self, board: str) -> bool:
        """Schedule a recount of a board. Return False if it was just counted."""
        known = self._boards.get(board)
        if known is not None and known.current is not None and time.monotonic() - known.counted_at < _MIN_COUNT_AGE:
            return False
        self._schedule(board)
        return True

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Apply the changes of a read pass; see ChangeObserver."""
        now = time.monotonic()
        for change in changes:
            if change.op in WHOLE_TABLE_OPS:
                if change.relation == "opportunities":
                    self.on_lost()
            elif change.board is not None and (change.relation == "opportunities" or change.op == "resync"):
                if self._interval and change.board not in self._due:
                    self._due[change.board] = now + self._interval
                known = self._boards.get(change.board)
                if known is not None and not known.apply(change):
                    del self._boards[change.board]

    def on_lost(self) -> None:
        """Drop all counts."""
        self._boards.clear()
        self._counted.clear()

    def on_pass(self, found: int, notified: int) -> None:  # noqa: ARG002 - the signature of Observer
        """Handle the end of a read pass; the head is now at the cursor of the tailer."""
        ready, self._counted = self._counted, {}
        for board, known in ready.items():
            self._apply_recount(board, known)
        now = time.monotonic()
        for board, at in list(self._due.items()):
            if at > now:
                break
            del self._due[board]
            self._due_now.add(board)
        if self._due_now:
            self._send_due(now)
        for board in list(self._requests):
            self._answer_requests(board)

    def _send_due(self, now: float) -> None:
        due, self._due_now = self._due_now, set()
        watched = self._connections.watched(due)
        bodies: dict[str, bytes] = {}
        for board in due:
            known = self._boards.get(board)
            if board not in watched:
                self._boards.pop(board, None)
            elif known is None or known.current is None or now - known.counted_at > _RECOUNT_AFTER:
                if known is None or not known.counting:
                    self._schedule(board)  # sent once it is counted
            else:
                bodies[board] = self._message(board, known.current)
        if bodies:
            self._metrics.checkpoints.inc(len(bodies))
            self._connections.send_to_boards("checkpoint", bodies, str(self._tailer.head))

    def _answer_requests(self, board: str) -> None:
        known = self._boards.get(board)
        if board in self._scheduled or (known is not None and known.counting):
            return
        if known is None or known.current is None:
            self._schedule(board)
            return
        body, cursor = self._message(board, known.current), str(self._tailer.head)
        for subscription in self._requests.pop(board):
            if board not in subscription.permitted_boards:
                continue
            if subscription.state is State.LIVE:
                subscription.sink.write(subscription.encoding.message("checkpoint", body, cursor))
            elif subscription.state is State.BEHIND:
                self._requests.setdefault(board, set()).add(subscription)

    def _message(self, board: str, board_hash: BoardHash) -> bytes:
        count, hashed = board_hash.held
        return message("checkpoint", boardId=board, count=count, hash=hashed, cursor=str(self._tailer.head))

    def _apply_recount(self, board: str, known: BoardCount) -> None:
        """Make a recount current; the head covers its snapshot."""
        recount, derived, known.recount = known.recount, known.current, None
        if recount is None:
            return
        known.current, known.counted_at = recount, time.monotonic()
        if derived is not None and derived.held != recount.held:
            self._drifts.append(_Drift(board, str(self._tailer.head), recount.held, derived.held))
            self._wake.set()
        elif self._interval:
            self._due_now.add(board)

    def _schedule(self, board: str) -> None:
        self._scheduled[board] = None
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                while self._drifts:
                    await self._report_drift(self._drifts.pop(0))
                while self._scheduled:
                    await self._load(next(iter(self._scheduled)))
            except (psycopg.Error, PoolTimeout, TimeoutError) as error:
                log.warning("board count failed; retrying", error=str(error).strip())
                await asyncio.sleep(_RETRY_DELAY)
                continue
            await self._wake.wait()
            self._wake.clear()

    async def _report_drift(self, drift: _Drift) -> None:
        """Report a difference before the clients find it: they miss the same changes."""
        try:
            await self._gap_reports.report(None, None, drift.board, drift.cursor, drift.table, drift.derived)
        finally:
            if self._interval:
                self._due_now.add(drift.board)
            self._tailer.wake()

    async def _load(self, board: str) -> None:
        del self._scheduled[board]
        # An earlier count: the head covers its snapshot, but not yet that of the new count.
        self._counted.pop(board, None)
        known = self._boards.setdefault(board, BoardCount())
        known.buffered, known.recount = [], None
        try:
            recount, snapshot = await self._query(board)
        except BaseException:
            self._boards.pop(board, None)
            self._scheduled[board] = None
            raise
        if self._boards.get(board) is not known:
            return
        if not known.finish_read(recount, parse_snapshot(snapshot)):
            del self._boards[board]
            return
        await self._tailer.wait_for_snapshot(parse_snapshot(snapshot))
        if self._boards.get(board) is known:
            self._counted[board] = known
            self._tailer.wake()

    async def _query(self, board: str) -> tuple[BoardHash, str]:
        recount, snapshot = BoardHash(), ""
        async with asyncio.timeout(_LOAD_TIMEOUT), self._pool.connection() as conn:
            conn.read_timeout = COUNT_TIMEOUT
            async for row in gap_reports.board_rows(conn, board):
                snapshot, key, version = row
                if key is not None:
                    recount.add(key, version or 0)
        return recount, snapshot
