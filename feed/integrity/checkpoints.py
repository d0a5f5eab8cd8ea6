"""Checkpoints: what a board has to hold at a cursor, told to those who follow it, so that they can prove themselves.

Invariant: what is told at a cursor is the table of that moment. A board is begun with one query, whose snapshot says which of the
changes that are read meanwhile it has already; from then on each change moves it. What cannot be known of a board (very much at
once, the log out of reach) makes it forgotten, and begun anew where it is needed. Every minute of changes the table is asked again:
where it is another than the log has told, somebody has written past the triggers.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import gaps
from db.changelog import ANEW, Change, Seen
from db.gaps import Held
from feed.delivery.connections import Connections
from feed.delivery.subscription import State, Subscription
from feed.integrity.board_hash import BoardHash
from feed.integrity.gap_reports import GapReports
from feed.system.database import Pool
from feed.system.tasks import end
from feed.tailing.tailer import Tailer
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import shows
from feed.wire.event import message

_TRUST = 60.0
"""Seconds after which the table is asked again."""
_FRESH = 2.0
"""Seconds in which it is not, whoever asks."""
_PATIENCE = 30.0
"""Seconds that a board may take to be read."""
COUNT_TIMEOUT = 8.0
"""Seconds to the next of its rows."""
_MISSED = 20_000
"""Changes of a board that are kept while it is being read; one of which there are more is given up."""
_AGAIN = 1.0

log = structlog.get_logger()


class _Board:
    """`current` is true at the hub's place, None before the first time; `fresh` will be, once the hub has all that `seen` has."""

    __slots__ = ("current", "fresh", "loaded", "missed", "seen")

    def __init__(self) -> None:
        self.current: BoardHash | None = None
        self.fresh: BoardHash | None = None
        self.seen = Seen(0)
        self.missed: list[Change] | None = None
        self.loaded = 0.0

    @property
    def loading(self) -> bool:
        return self.missed is not None or self.fresh is not None

    def take(self, change: Change) -> bool:
        """Take in a change; False where this board is to be forgotten."""
        if self.missed is not None:
            self.missed.append(change)
            if len(self.missed) > _MISSED:
                return False
        if self.fresh is not None and change.xid not in self.seen and not self.fresh.apply(change):
            return False
        return self.current is None or self.current.apply(change)

    def begun(self, fresh: BoardHash, snapshot: Seen) -> bool:
        """It has been read; False where it is to be forgotten."""
        missed, self.missed = self.missed or [], None
        self.fresh, self.seen = fresh, snapshot
        return all(change.xid in snapshot or fresh.apply(change) for change in missed)


class _Drift(NamedTuple):
    """The table, and what the log had told of it, at a cursor."""

    board: str
    cursor: str
    table: Held
    told: Held


class Checkpoints:
    def __init__(
        self,
        every: float,
        pool: Pool,
        tailer: Tailer,
        connections: Connections,
        gap_reports: GapReports,
        metrics: Metrics,
    ) -> None:
        """A board that changes is told of at most once in `every` seconds; 0: only to who asks."""
        self._every = every
        self._pool = pool
        self._tailer = tailer
        self._connections = connections
        self._gap_reports = gap_reports
        self._metrics = metrics
        self._boards: dict[str, _Board] = {}
        self._due: dict[str, float] = {}
        """Boards that have changed, and when they are to be told of: in this order."""
        self._now: set[str] = set()
        """Boards that are to be told of at the end of this sweep."""
        self._asked: dict[str, set[Subscription]] = {}
        self._ready: dict[str, _Board] = {}
        self._wanted: dict[str, None] = {}
        self._drifts: list[_Drift] = []
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="checkpoints")

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    def ask(self, subscription: Subscription, board: str) -> None:
        """Tell this client of a board that it sees, at the end of a sweep at which it is live."""
        self._asked.setdefault(board, set()).add(subscription)
        if not self.doubt(board):
            self._tailer.ring()

    def doubt(self, board: str) -> bool:
        """Ask the table of a board again; False where that was done just now."""
        known = self._boards.get(board)
        if known is not None and known.current is not None and time.monotonic() - known.loaded < _FRESH:
            return False
        self._want(board)
        return True

    def read(self, changes: Sequence[Change]) -> None:
        """Take in what a sweep has found; see Tailer.readers."""
        now = time.monotonic()
        for change in changes:
            if change.op in ANEW:
                if change.relation == "opportunities":
                    self.lost()
            elif change.board is not None and (change.relation == "opportunities" or change.op == "resync"):
                if self._every and change.board not in self._due:
                    self._due[change.board] = now + self._every
                known = self._boards.get(change.board)
                if known is not None and not known.take(change):
                    del self._boards[change.board]

    def lost(self) -> None:
        """What is known does not hold any more."""
        self._boards.clear()
        self._ready.clear()

    def swept(self, found: int, rang: int) -> None:  # noqa: ARG002 - as observers are called
        """Note that a sweep has ended: the hub stands where its cursor says."""
        ready, self._ready = self._ready, {}
        for board, known in ready.items():
            self._settle(board, known)
        now = time.monotonic()
        for board, at in list(self._due.items()):
            if at > now:
                break
            del self._due[board]
            self._now.add(board)
        if self._now:
            self._tell(now)
        for board in list(self._asked):
            self._answer(board)

    def _tell(self, now: float) -> None:
        due, self._now = self._now, set()
        watched = self._connections.watched(due)
        bodies: dict[str, bytes] = {}
        for board in due:
            known = self._boards.get(board)
            if board not in watched:
                self._boards.pop(board, None)
            elif known is None or known.current is None or now - known.loaded > _TRUST:
                if known is None or not known.loading:
                    self._want(board)  # and then it is told
            else:
                bodies[board] = self._message(board, known.current)
        if bodies:
            self._metrics.checkpoints.inc(len(bodies))
            self._connections.tell("checkpoint", bodies, str(self._tailer.cursor))

    def _answer(self, board: str) -> None:
        known = self._boards.get(board)
        if board in self._wanted or (known is not None and known.loading):
            return
        if known is None or known.current is None:
            self._want(board)
            return
        body, cursor = self._message(board, known.current), str(self._tailer.cursor)
        for subscription in self._asked.pop(board):
            if board not in subscription.offered:
                continue
            if subscription.state is State.LIVE:
                subscription.sink.write(subscription.encoding.message("checkpoint", body, cursor))
            elif subscription.state is State.BEHIND:
                self._asked.setdefault(board, set()).add(subscription)

    def _message(self, board: str, board_hash: BoardHash) -> bytes:
        count, hashed = board_hash.held
        return message("checkpoint", boardId=board, count=count, hash=hashed, cursor=str(self._tailer.cursor))

    def _settle(self, board: str, known: _Board) -> None:
        """The hub has all that a board was read with."""
        fresh, told, known.fresh = known.fresh, known.current, None
        if fresh is None:
            return
        known.current, known.loaded = fresh, time.monotonic()
        if told is not None and told.held != fresh.held:
            self._drifts.append(_Drift(board, str(self._tailer.cursor), fresh.held, told.held))
            self._work.set()
        elif self._every:
            self._now.add(board)

    def _want(self, board: str) -> None:
        self._wanted[board] = None
        self._work.set()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                while self._drifts:
                    await self._note(self._drifts.pop(0))
                while self._wanted:
                    await self._load(next(iter(self._wanted)))
            except (psycopg.Error, PoolTimeout, TimeoutError) as error:
                log.warning("a board cannot be counted: trying again", error=str(error).strip())
                await asyncio.sleep(_AGAIN)
                self._work.set()
            except Exception:
                # A mistake of ours: no client is the worse for it.
                log.exception("counting a board failed")
                await asyncio.sleep(_AGAIN)

    async def _note(self, drift: _Drift) -> None:
        """Say what was found before the clients find it: they lack it for the same reason."""
        try:
            await self._gap_reports.report(None, None, drift.board, drift.cursor, drift.table, drift.told)
        finally:
            if self._every:
                self._now.add(drift.board)
            self._tailer.ring()

    async def _load(self, board: str) -> None:
        del self._wanted[board]
        self._ready.pop(board, None)  # an earlier count: the hub has reached its snapshot, but not yet that of this one
        known = self._boards.setdefault(board, _Board())
        known.missed, known.fresh = [], None
        try:
            fresh, snapshot = await self._count(board)
        except BaseException:
            self._boards.pop(board, None)
            self._wanted[board] = None
            raise
        if self._boards.get(board) is not known:
            return
        if not known.begun(fresh, shows(snapshot)):
            del self._boards[board]
            return
        await self._tailer.reach(shows(snapshot))
        if self._boards.get(board) is known:
            self._ready[board] = known
            self._tailer.ring()

    async def _count(self, board: str) -> tuple[BoardHash, str]:
        fresh, snapshot = BoardHash(), ""
        async with asyncio.timeout(_PATIENCE), self._pool.connection() as conn:
            conn.read_timeout = COUNT_TIMEOUT
            async for row in gaps.board_rows(conn, board):
                snapshot, key, version = row
                if key is not None:
                    fresh.add(key, version or 0)
        return fresh, snapshot
