"""The log of changes, read by cursor.

Invariant: a read gives whole transactions, each row once, in an order that agrees with the order of commits wherever two
transactions changed the same row. It comes in chunks, of a limited number of rows and bytes: the memory that a read takes does not
grow with a transaction.
"""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple, cast

from db.changelog.positions import Seen, between
from db.connection import PsycopgConnection, Row
from db.sqlfiles import sql

WHOLE_TABLE_OPS = frozenset({"truncate", "reload"})
"""Operations that name no row: readers have to load the table again."""

_FETCHED = 16
"""Rows that libpq hands over at a time. They are held beside a chunk, whatever their size."""
_CHUNK_SIZE = 1024 * 1024
"""Characters of JSON after which a chunk ends."""
LARGEST_IMAGE = 4 * 1024 * 1024
"""Bytes of a row's image above which a change has no body. Larger ones would delay all clients and fill a service's memory."""


class Change(NamedTuple):
    """One row of the log. `body` is JSON text: what an update changed, otherwise the whole row.

    op is that of feed.log, or ``resync``: this row then stands for `size` changes of the board, or ``large``: the row is too
    large to be sent. Otherwise `size` is the number of changes that were collapsed into this one. `member` and `role` are those
    of a row of board_members. `notified`: whether the writer sent NOTIFY.
    """

    seq: int
    xid: int
    at: datetime
    relation: str
    op: str
    key: str | None
    board: str | None
    version: int | None
    actor: str
    origin: str | None
    traceparent: str | None
    body: str | None
    from_phase: str | None
    to_phase: str | None
    member: str | None
    role: str | None
    size: int
    notified: bool


class Chunk(NamedTuple):
    """A part of one read. Only the final part has `last`; its snapshot and last_xid (of all parts) make the next cursor.

    Without a snapshot nothing was found, and the cursor stays. `end` is where this part ends, in the order of the read: a read up
    to a fixed `until` can be resumed there. `feed` and `floor_xid` are the feed's id and its newest pruned transaction, in that
    snapshot.
    """

    feed: str | None
    floor_xid: int
    snapshot: str | None
    last_xid: int | None
    changes: list[Change]
    last: bool
    end: tuple[int, int] | None


async def tune_log_reads(conn: PsycopgConnection) -> None:
    """Make a connection that is kept for long plan its reads of the log once, and well."""
    # The plan is the same whatever the cursor: a range and points of log_xid. Planned once, never by table statistics.
    await conn.execute("SET plan_cache_mode = force_generic_plan")
    await conn.execute("SET enable_seqscan = off")
    # Compiled again for each read, the plan's machine code would take longer than it saves.
    await conn.execute("SET jit = off")
    # The many rows of a large transaction are counted and sorted without a file.
    await conn.execute("SET work_mem = '32MB'")


async def read_changes(
    conn: PsycopgConnection,
    since: Seen,
    until: Seen | None = None,
    boards: Collection[str] | None = None,
    *,
    collapsed: bool = False,
    threshold: int,
    chunk: int,
    after: tuple[int, int] | None = None,
) -> AsyncGenerator[Chunk]:
    """What can be seen now (or could be seen at `until`) and could not at `since`; of all boards, or of those named.

    One statement, so one snapshot, and always at least one chunk, of at most `chunk` changes. Changes of membership are included
    whatever their board. A board with more than `threshold` changes is one ``resync``. Collapsed: the newest state of each row,
    once. `after`: only what comes after the `end` of an earlier part.
    """
    query = sql("queries/latest_changes_since" if collapsed else "queries/changes_since")
    parameters = between(since, until) | {
        "boards": None if boards is None else list(boards),
        "threshold": threshold,
        "largest": LARGEST_IMAGE,
        "after_ends": None if after is None else after[0],
        "after_seq": None if after is None else after[1],
    }
    changes: list[Change] = []
    size, floor_xid = 0, 0
    feed = snapshot = last_xid = end = None
    async with conn.cursor() as cursor:
        stream = cast(AsyncGenerator[Row], cursor.stream(query, parameters, size=_FETCHED, binary=True))
        async with aclosing(stream) as rows:
            async for place, *fields, row_xid, ends in rows:
                if len(changes) == chunk or size > _CHUNK_SIZE:
                    yield Chunk(feed, floor_xid, snapshot, last_xid, changes, False, end)
                    changes, size = [], 0
                if snapshot is None:
                    feed, floor, snapshot = place.split(" ")
                    floor_xid = int(floor)
                change = Change._make(fields)
                changes.append(change)
                size += len(change.body or "")
                last_xid, end = max(last_xid or 0, row_xid), (ends, change.seq)
    yield Chunk(feed, floor_xid, snapshot, last_xid, changes, True, end)
