"""Several writers with their own connections, driven one step at a time, that may block each other."""

import asyncio
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection

from tests.support.database import Database

_STEP_TIMEOUT = 0.01
"""Seconds after which an unfinished step is assumed to wait for a lock of another writer."""


class Step(NamedTuple):
    writer: int
    op: str
    card: str = ""
    value: str = ""


STATEMENTS = {
    "begin": "BEGIN",
    "commit": "COMMIT",
    "rollback": "ROLLBACK",
    "savepoint": "SAVEPOINT s",
    "rollback to": "ROLLBACK TO s",
    "take xid": "SELECT pg_current_xact_id()",
    "insert": "INSERT INTO opportunities (id, board_id, title) VALUES (%(card)s, %(value)s, 'new') ON CONFLICT DO NOTHING",
    "edit": "UPDATE opportunities SET title = title || %(value)s WHERE id = %(card)s",
    "move": "UPDATE opportunities SET phase = %(value)s WHERE id = %(card)s",
    "change board": "UPDATE opportunities SET board_id = %(value)s WHERE id = %(card)s",
    "edit all": "UPDATE opportunities SET notes = %(value)s",
    "delete": "DELETE FROM opportunities WHERE id = %(card)s",
    "nothing": "UPDATE opportunities SET title = title WHERE id = %(card)s",
}


class Writer:
    """Runs its steps in order. A deadlock, or a step that is invalid at its place, ends the transaction."""

    def __init__(self, conn: AsyncConnection[Any]) -> None:
        self._conn = conn
        self._queue: asyncio.Queue[Step] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(), name="writer")

    @classmethod
    async def connect(cls, database: Database) -> "Writer":
        conn = await database.connect()
        await conn.execute("SET deadlock_timeout = '20ms'")
        return cls(conn)

    async def start(self, step: Step) -> None:
        """Start a step, and give it _STEP_TIMEOUT to finish."""
        self._queue.put_nowait(step)
        done = asyncio.create_task(self._queue.join())
        await asyncio.wait({done}, timeout=_STEP_TIMEOUT)
        done.cancel()

    async def finish(self) -> None:
        """Run the remaining steps, and commit."""
        self._queue.put_nowait(Step(0, "commit"))
        await self._queue.join()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._conn.close()

    async def _run(self) -> None:
        while True:
            step = await self._queue.get()
            in_transaction = self._conn.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE
            if in_transaction == (step.op != "begin") or step.op not in {
                "begin",
                "commit",
                "rollback",
                "savepoint",
                "rollback to",
            }:
                try:
                    await self._conn.execute(STATEMENTS[step.op], step._asdict())
                except psycopg.Error:
                    await self._conn.execute("ROLLBACK")
            self._queue.task_done()
