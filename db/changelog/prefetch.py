"""The same read as `changes.read_changes`, for few rows, as one prepared statement: sent in the callback that receives NOTIFY.

Invariant: the result is that of a read of all boards, or None if there are more rows than were asked for, or one above 64 KiB.
"""

from collections.abc import Sequence

from db.changelog.changes import Change, Chunk, tune_log_reads
from db.changelog.positions import Seen
from db.connection import PsycopgConnection, Row
from db.sqlfiles import sql

_WITH_BODY = frozenset({"insert", "enter", "update"})

PreparedQuery = tuple[bytes, tuple[bytes, ...]]
"""The name of a prepared statement, and its values in text form."""


async def prepare_prefetch(conn: PsycopgConnection) -> None:
    """Prepare the statement on a connection that is kept for long."""
    await tune_log_reads(conn)
    await conn.execute(sql("queries/changes_since_prefetch"))


def prefetch_query(since: Seen, limit: int) -> PreparedQuery:
    """The query for what is new, up to `limit` rows."""
    xip = "{" + ",".join(map(str, since.xip)) + "}"
    return b"changes_since", (b"%d" % since.xmax, xip.encode(), b"%d" % (limit + 1))


def prefetch_result(rows: Sequence[Row], limit: int) -> Chunk | None:
    """Its rows as a chunk; None if more than `limit` are new, or one of them was too large to be read here."""
    if len(rows) > limit or not rows:
        return None
    feed, floor_xid, snapshot, seq = rows[0][:4]
    changes = [] if seq is None else [Change._make(row[3:]) for row in rows]
    if any(change.body is None and change.op in _WITH_BODY for change in changes):
        return None
    ends: dict[int, int] = {}
    for change in changes:
        ends[change.xid] = max(change.seq, ends.get(change.xid, 0))
    changes.sort(key=lambda change: (ends[change.xid], change.seq))
    return Chunk(feed, floor_xid, snapshot, max(ends, default=None), changes, True, None)
