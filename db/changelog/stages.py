"""The changes of stages, copied from the log to where they last longer (feed.stage_changes).

Invariant: no later call reads again what one has read, and none skips anything: each continues from the snapshot of the one before.
"""

from db.connection import PsycopgConnection
from db.sqlfiles import sql

BATCH = 20_000
"""Rows of the log that one call reads, and more only if a transaction is larger."""


async def read_stage_changes(conn: PsycopgConnection, *, waits: bool = False) -> bool:
    """Copy the next changes. Returns whether there are more. `waits`: while another session does so; otherwise leave it to that."""
    row = await (await conn.execute(sql("queries/read_stage_changes"), {"batch": BATCH, "waits": waits})).fetchone()
    return bool(row and row[0])
