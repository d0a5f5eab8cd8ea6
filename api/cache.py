"""Board snapshots, kept in memory for five minutes at most and dropped by the feed itself.

Invariant: of the board of an entry that is kept here the hub has read nothing since the load of the entry began. So
- it is as fresh as the feed: what an open board would have been told of, a new one shows;
- all that the hub has read, and the entry has not seen, is of other boards: the hub's own cursor fits it just as well.
Nothing is kept while the log is not being read. No answer rests on this for being whole: each carries its cursor, and who
follows from there gets whatever came after.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from api.gather import Gatherer
from api.metrics import Metrics
from db import boards
from feed.tailing.tailer import Tailer
from feed.wire.cursor import Cursor
from feed.wire.event import Event

_LONGEST = 300.0
_BUDGET = 64 * 1024 * 1024
_OVERHEAD = 1024
"""Bytes that an entry costs beside its JSON, about: small ones are bounded in number by this."""
_AT_ONCE = 200
"""Boards in one statement."""
_SHOWN = frozenset({"opportunities", "boards", "board_members"})
"""The tables that a snapshot is made of, but for the members' names: those may be as old as the entry."""


class Entry(NamedTuple):
    """The parts are JSON. `tag` is a digest of them: the same on every instance, after every restart."""

    board: str
    members: str
    opportunities: str
    roles: Mapping[str, str]
    cursor: Cursor
    tag: str
    size: int
    expires: float


class Snapshots:
    """`log` is the hub's, None in a process without one."""

    def __init__(
        self,
        engine: AsyncEngine,
        log: Tailer | None,
        metrics: Metrics,
        *,
        clock: Callable[[], float],
        budget: int = _BUDGET,
    ) -> None:
        self._engine = engine
        self._log = log
        self._metrics = metrics
        self._clock = clock
        self._budget = budget
        self._gatherer: Gatherer[Entry] = Gatherer(self._load, _AT_ONCE)
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._size = 0
        self._loading: set[str] = set()
        """Boards that are being loaded, and of which nothing has been told since."""
        if log is not None:
            log.publisher.followers.append(self)

    async def get(self, board: str) -> Entry | None:
        """Give a board, from memory if it is there; None where there is none."""
        entry = self._entries.get(board)
        if entry is not None and self._current() and self._clock() < entry.expires:
            self._entries.move_to_end(board)
            self._metrics.snapshots.labels("memory").inc()
            return entry
        return await self.load(board)

    async def load(self, board: str) -> Entry | None:
        """Give a board as it is in the database now."""
        self._metrics.snapshots.labels("database").inc()
        return await self._gatherer.get(board)

    def cursor(self, board: str, entry: Entry) -> Cursor:
        """Where to follow from who is given this entry now."""
        if self._log is not None and self._entries.get(board) is entry and self._current():
            hub = self._log.cursor
            if hub.feed == entry.cursor.feed and hub.covers(entry.cursor):
                return hub
        return entry.cursor

    def forget(self, *names: str) -> None:
        """Drop boards that have changed."""
        for board in names:
            self._loading.discard(board)
            if (entry := self._entries.pop(board, None)) is not None:
                self._size -= entry.size

    def told(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.everyone or event.flag_change is not None:
                self.lost()
            elif event.board is not None and (event.relation in _SHOWN or event.type == "resync"):
                self.forget(event.board)

    def lost(self) -> None:
        self._loading.clear()
        self._entries.clear()
        self._size = 0

    async def stop(self) -> None:
        await self._gatherer.stop()

    def _current(self) -> bool:
        return self._log is not None and self._log.current and self._log.publisher.flags.captures

    async def _load(self, names: Sequence[str]) -> Mapping[str, Entry]:
        # Only what began while the log was followed is told of everything that comes after it.
        self._loading = set(names) if self._current() else set()
        async with self._engine.connect() as conn:
            found = await boards.whole(conn, names)
        expires = self._clock() + _LONGEST
        entries = {board: _entry(whole, expires) for board, whole in found.items()}
        for board, entry in entries.items():
            if board in self._loading:
                self._keep(board, entry)
        self._loading.clear()
        return entries

    def _keep(self, board: str, entry: Entry) -> None:
        self.forget(board)
        if not self._current() or entry.size > self._budget:
            return
        self._entries[board] = entry
        self._size += entry.size
        while self._size > self._budget:
            _, oldest = self._entries.popitem(last=False)
            self._size -= oldest.size


def _entry(whole: boards.Whole, expires: float) -> Entry:
    parts = (whole.board, whole.members, whole.opportunities)
    digest = blake2b(whole.feed_id.encode(), digest_size=9)
    for part in parts:
        digest.update(part.encode())
    return Entry(
        *parts,
        roles={member["userId"]: member["role"] for member in orjson.loads(whole.members)},
        cursor=Cursor.at(whole.feed_id, whole.position),
        tag=digest.hexdigest(),
        size=sum(map(len, parts)) + _OVERHEAD,
        expires=expires,
    )
