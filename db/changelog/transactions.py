"""Transactions that read the log in several statements.

Invariant: the lock comes before the snapshot. A dropped partition also disappears from older snapshots. Without the lock, a read
could miss rows unnoticed.
"""

from db.connection import PsycopgConnection
from db.sqlfiles import sql

_SNAPSHOT = sql("queries/read_transaction")
_LOCK = sql("queries/log_lock")
_LOCKED = f"{_SNAPSHOT};\n{_LOCK}"
_TUNED = sql("queries/log_read_settings")


async def begin_read(conn: PsycopgConnection) -> None:
    """Let the statements of the transaction that has just begun see one snapshot, and write nothing."""
    await conn.execute(_SNAPSHOT)


async def begin_log_read(conn: PsycopgConnection, *, tuned: bool = False) -> None:
    """The same, with the log kept from being pruned until the end; `tuned`: on a connection without `tune_log_reads`."""
    # Several statements in one round trip; those cannot be prepared.
    await conn.execute(f"{_LOCKED};\n{_TUNED}" if tuned else _LOCKED, prepare=False)


async def tune_log_read(conn: PsycopgConnection) -> None:
    """Plan the log's reads well until the end of this transaction."""
    await conn.execute(_TUNED, prepare=False)
