"""The log of changes, read by cursor. The only reader of feed.log.

Invariant: nobody asks for "what came after number n". Every read asks what a snapshot shows that an earlier one did not,
and gets whole transactions, each row once, in an order that agrees with commit order wherever two transactions touched
the same row. Read in chunks, of so many rows and so many bytes: the memory taken does not grow with a transaction.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, NamedTuple, cast

from psycopg import AsyncConnection

from db.sqlfiles import sql

Connection = AsyncConnection[tuple[Any, ...]]
Row = tuple[Any, ...]
ANEW = frozenset({"truncate", "reload"})
"""Ops that name no row: whoever reads the table is to take it anew."""
Question = tuple[bytes, tuple[bytes, ...]]
"""A prepared statement and its values in text form."""

_FETCHED = 16
"""Rows that libpq hands over at a time: what is held beside a chunk, whatever their size."""
_LARGEST = 1024 * 1024
"""Characters of JSON after which a chunk ends."""


class Seen(NamedTuple):
    """A set of transactions: all below xmax but those in xip (which were in progress when it was made)."""

    xmax: int
    xip: tuple[int, ...] = ()

    def __contains__(self, xid: object) -> bool:
        return isinstance(xid, int) and xid < self.xmax and xid not in self.xip


class Position(NamedTuple):
    """Where the log stands in one snapshot: its newest transaction, and its newest row. No rows: all but snapshot are None."""

    snapshot: str
    last_xid: int | None
    seq: int | None
    xid: int | None
    at: datetime | None


class Proof(NamedTuple):
    """What the log says of the row that a cursor has for its anchor (seq, xid, at: None when it is not there)."""

    feed_id: str
    floor_seq: int
    floor_xid: int
    next_xid: int
    last_seq: int
    seq: int | None
    xid: int | None
    at: datetime | None


class Change(NamedTuple):
    """One row of the log, as a reader tells it. `body` is JSON text: the changes of an update, else the whole row.

    op is that of feed.log, or ``resync``: then `size` changes of the board are told by this row alone. Else `size` is the
    number of changes collapsed into this one. `member` and `role` are those of a row of board_members. `rang`: whether the
    writer rang the doorbell.
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
    rang: bool


class MembershipChange(NamedTuple):
    """A row of board_members in the log. A TRUNCATE has no member and no board; a role only while the member stays."""

    op: str
    member: str | None
    board: str | None
    role: str | None
    seq: int


class Chunk(NamedTuple):
    """A part of one read. `last` is true of the final part only; its snapshot and last_xid (of all parts) make the next cursor.

    Without a snapshot nothing was found, and the cursor stays. `end` is where in the order of the read this part ends: a read up
    to a fixed `until` can be resumed there. `feed` and `floor_xid` are the feed's id and its newest pruned transaction, as that
    snapshot shows them.
    """

    feed: str | None
    floor_xid: int
    snapshot: str | None
    last_xid: int | None
    changes: list[Change]
    last: bool
    end: tuple[int, int] | None


async def position(conn: Connection) -> Position:
    """Where the log stands now; in a REPEATABLE READ transaction, in that transaction's snapshot."""
    return Position._make(await _one(conn, "queries/position", {}))


async def proof(conn: Connection, seq: int) -> Proof:
    """What a cursor with the anchor `seq` is checked against."""
    return Proof._make(await _one(conn, "queries/proof", {"seq": seq}))


async def identify(conn: Connection) -> str:
    """The feed's id, renewed first if this is another cluster or timeline than the one it was made on. Primary only."""
    (feed_id,) = await _one(conn, "queries/identify", {})
    return str(feed_id)


async def membership(conn: Connection) -> list[tuple[str, str, str]]:
    """(user, board, role) of everybody."""
    return await (await conn.execute(sql("queries/membership"))).fetchall()


async def membership_changes(conn: Connection, since: Seen, until: Seen) -> list[MembershipChange]:
    """Every change of board_members between two cursors, in the order in which read() delivers them."""
    found = await conn.execute(sql("queries/membership_changes"), _between(since, until))
    return [MembershipChange._make(row) for row in await found.fetchall()]


async def plan(conn: Connection) -> None:
    """Make a connection that is kept for long plan its reads of the log once."""
    # The plan is the same whatever the cursor: a range and points of log_xid. Planned once, never by table statistics.
    await conn.execute("SET plan_cache_mode = force_generic_plan")
    await conn.execute("SET enable_seqscan = off")
    # Made for each sweep anew, the machine's code of a plan takes longer than what it saves.
    await conn.execute("SET jit = off")
    # What one transaction changed of a great many rows is counted and put in order without a file.
    await conn.execute("SET work_mem = '32MB'")


async def prepare(conn: Connection) -> None:
    """Make a connection ready for the question of fresh()."""
    await plan(conn)
    await conn.execute(sql("queries/fresh"))


def fresh(since: Seen, few: int) -> Question:
    """The question what is new; quicker than read(). For those who ask it at once when they are woken."""
    xip = "{" + ",".join(map(str, since.xip)) + "}"
    return b"fresh", (b"%d" % since.xmax, xip.encode(), b"%d" % (few + 1))


def answered(rows: Sequence[Row], few: int) -> Chunk | None:
    """The answer to fresh(), as read() of all boards gives it; None if more than `few` rows are new."""
    if len(rows) > few or not rows:
        return None
    feed, floor_xid, snapshot, seq = rows[0][:4]
    changes = [] if seq is None else [Change._make(row[3:]) for row in rows]
    ends: dict[int, int] = {}
    for change in changes:
        ends[change.xid] = max(change.seq, ends.get(change.xid, 0))
    changes.sort(key=lambda change: (ends[change.xid], change.seq))
    return Chunk(feed, floor_xid, snapshot, max(ends, default=None), changes, True, None)


async def read(
    conn: Connection,
    since: Seen,
    until: Seen | None = None,
    boards: Collection[str] | None = None,
    *,
    collapsed: bool = False,
    threshold: int,
    chunk: int,
    after: tuple[int, int] | None = None,
) -> AsyncGenerator[Chunk]:
    """What can be seen now (or could be seen at `until`) and could not at `since`; all boards unless some are named.

    One statement, so one snapshot, and always at least one chunk, of at most `chunk` changes. Changes of membership are told
    whatever their board. A board with more than `threshold` changes is told by one ``resync``. Collapsed: the newest state of
    each row, once. `after`: what comes behind the `end` of an earlier part.
    """
    query = sql("queries/collapsed" if collapsed else "queries/unseen")
    arguments = _between(since, until) | {
        "boards": None if boards is None else list(boards),
        "threshold": threshold,
        "after_ends": None if after is None else after[0],
        "after_seq": None if after is None else after[1],
    }
    changes: list[Change] = []
    size, floor_xid = 0, 0
    feed = snapshot = last_xid = end = None
    async with conn.cursor() as cursor:
        stream = cast(AsyncGenerator[tuple[Any, ...]], cursor.stream(query, arguments, size=_FETCHED, binary=True))
        async with aclosing(stream) as rows:
            async for place, *fields, row_xid, ends in rows:
                if len(changes) == chunk or size > _LARGEST:
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


def _between(since: Seen, until: Seen | None) -> dict[str, object]:
    return {
        "since_xmax": str(since.xmax),
        "since_xip": [str(xid) for xid in since.xip],
        "until_xmax": None if until is None else str(until.xmax),
        "until_xip": [] if until is None else [str(xid) for xid in until.xip],
    }


async def _one(conn: Connection, query: str, arguments: dict[str, object]) -> tuple[Any, ...]:
    row = await (await conn.execute(sql(query), arguments)).fetchone()
    if row is None:
        raise LookupError(f"{query} found nothing: feed.identity is empty")
    return row
