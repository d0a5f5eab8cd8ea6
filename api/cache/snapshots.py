"""Board snapshots in memory. The feed invalidates them, and none is older than five minutes.

Invariant: the feed of this process has read no change of a cached board since its snapshot began to load. So
- a snapshot is as fresh as the feed: a new page shows what an open one has received;
- everything that the feed has read and the snapshot does not contain is about other boards, so the feed's head is a
  valid cursor for the snapshot.
Nothing is cached while the log is not being read. No response depends on the cache to be complete: each contains its
cursor, and a client that follows from there receives everything after it.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from api.cache.batch_loader import BatchLoader
from api.metrics import ApiMetrics
from db.changelog import snapshots as db_snapshots
from feed.tailing.tailer import Tailer
from feed.wire.cursor import Cursor
from feed.wire.event import Event
from feed.wire.observers import Observer

_MAX_AGE = 300.0
"""Seconds."""
_MAX_BYTES = 64 * 1024 * 1024
_OVERHEAD = 1024
"""Bytes that a snapshot costs in addition to its JSON, roughly. They bound the number of small ones."""
_MAX_BOARDS_PER_READ = 200
_TABLES = frozenset({"opportunities", "feed.boards", "feed.board_members", "feed.opportunity_details"})
"""The tables that a snapshot is made of, except the members' names: those may be as old as the snapshot."""


class Snapshot(NamedTuple):
    """The first three fields are JSON. `digest` identifies them, on every instance and after every restart."""

    board: str
    members: str
    opportunities: str
    roles: Mapping[str, str]
    """By user."""
    cursor: Cursor
    digest: str
    size: int
    expires: float


class SnapshotCache(Observer):
    """`tailer` reads the log for this process. Without one, nothing is cached."""

    def __init__(
        self,
        engine: AsyncEngine,
        tailer: Tailer | None,
        metrics: ApiMetrics,
        *,
        clock: Callable[[], float],
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self._engine = engine
        self._tailer = tailer
        self._metrics = metrics
        self._clock = clock
        self._max_bytes = max_bytes
        self._loader: BatchLoader[Snapshot] = BatchLoader(self._read, _MAX_BOARDS_PER_READ)
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()
        self._size = 0
        self._loading: set[str] = set()
        """Boards that are being loaded and have not changed since, as far as the feed has read."""
        if tailer is not None:
            tailer.publisher.subscribe(self)

    async def get(self, board_id: str) -> Snapshot | None:
        """Return a board, from memory if possible; None if it does not exist."""
        snapshot = self._snapshots.get(board_id)
        if snapshot is not None and self._is_current() and self._clock() < snapshot.expires:
            self._snapshots.move_to_end(board_id)
            self._metrics.board_snapshots.labels("memory").inc()
            return snapshot
        return await self.load(board_id)

    async def load(self, board_id: str) -> Snapshot | None:
        """Return a board as it is in the database now."""
        self._metrics.board_snapshots.labels("database").inc()
        return await self._loader.load(board_id)

    def cursor_for(self, board_id: str, snapshot: Snapshot) -> Cursor:
        """Return the cursor to follow from for a client that receives this snapshot now."""
        if self._tailer is not None and self._snapshots.get(board_id) is snapshot and self._is_current():
            head = self._tailer.head
            if head.feed == snapshot.cursor.feed and head.covers(snapshot.cursor):
                return head
        return snapshot.cursor

    def invalidate(self, *board_ids: str) -> None:
        """Remove boards that have changed."""
        for board_id in board_ids:
            self._loading.discard(board_id)
            if (snapshot := self._snapshots.pop(board_id, None)) is not None:
                self._size -= snapshot.size

    def on_events(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.everyone or event.flag_change is not None:
                self.on_lost()
            elif event.board is not None and (event.relation in _TABLES or event.type == "resync"):
                self.invalidate(event.board)

    def on_lost(self) -> None:
        self._loading.clear()
        self._snapshots.clear()
        self._size = 0

    async def stop(self) -> None:
        await self._loader.stop()

    def _is_current(self) -> bool:
        return self._tailer is not None and self._tailer.is_current and self._tailer.publisher.flags.capture_enabled

    async def _read(self, board_ids: Sequence[str]) -> Mapping[str, Snapshot]:
        # A later change invalidates only what began to load while the log was being followed.
        self._loading = set(board_ids) if self._is_current() else set()
        async with self._engine.connect() as conn:
            found = await db_snapshots.read_boards(conn, board_ids)
        expires = self._clock() + _MAX_AGE
        snapshots = {board_id: _snapshot(board, expires) for board_id, board in found.items()}
        for board_id, snapshot in snapshots.items():
            if board_id in self._loading:
                self._store(board_id, snapshot)
        self._loading.clear()
        return snapshots

    def _store(self, board_id: str, snapshot: Snapshot) -> None:
        self.invalidate(board_id)
        if not self._is_current() or snapshot.size > self._max_bytes:
            return
        self._snapshots[board_id] = snapshot
        self._size += snapshot.size
        while self._size > self._max_bytes:
            _, oldest = self._snapshots.popitem(last=False)
            self._size -= oldest.size


def _snapshot(board: db_snapshots.BoardSnapshot, expires: float) -> Snapshot:
    parts = (board.board, board.members, board.opportunities)
    digest = blake2b(board.feed_id.encode(), digest_size=9)
    for part in parts:
        digest.update(part.encode())
    return Snapshot(
        *parts,
        roles={member["userId"]: member["role"] for member in orjson.loads(board.members)},
        cursor=Cursor.at(board.feed_id, board.position),
        digest=digest.hexdigest(),
        size=sum(map(len, parts)) + _OVERHEAD,
        expires=expires,
    )
