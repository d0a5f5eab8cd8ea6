"""A writer's connection, and its transactions with their outcomes."""

import asyncio
import os
import random
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, LiteralString

import psycopg
from psycopg.pq import TransactionStatus

from tests.chaos.model import Transaction
from tests.chaos.world import schema
from tests.chaos.world.world import World

PATIENCE = 8.0
"""Seconds after which a hung transaction is cut off: its outcome is unknown, or failed if COMMIT was not sent."""
_OPTIONS = "-c lock_timeout=1500 -c statement_timeout=5000 -c idle_in_transaction_session_timeout=15000"
_DECLARE: LiteralString = """
SELECT set_config('feed.origin', %(tag)s, true), set_config('feed.actor', %(actor)s, true), pg_current_xact_id()::text
"""
_MARK: LiteralString = "INSERT INTO chaos.marks (tag) VALUES (%s)"

_numbers = count(1)


class FailedError(Exception):
    """The transaction failed, or its outcome is unknown; its record has the error."""


class GiveUp(Exception):  # noqa: N818 - a decision, not an error
    """The writer rolls back on purpose."""


class Session:
    """A connection that is opened on demand and again after a loss."""

    def __init__(self, world: World, rng: random.Random, name: str) -> None:
        self.world = world
        self.rng = rng
        self.name = name
        self._conn: psycopg.AsyncConnection[Any] | None = None

    async def close(self) -> None:
        if self._conn is not None:
            with suppress(psycopg.Error, OSError):
                await self._conn.close()
            self._conn = None

    def card(self, board: str | None = None) -> str:
        """A random initial card, which may be on another board by now."""
        name = board or self.rng.choice([each for each in schema.BOARDS if each != "bulk"])
        return f"{name}-c{self.rng.randint(1, schema.CARDS)}"

    def begin(self, kind: str, *, via: str = "sql") -> Transaction:
        tag = f"{kind}-{self.world.seed}-{next(_numbers)}"
        transaction = Transaction(tag, kind, time.monotonic(), via=via)
        self.world.journal.transactions.append(transaction)
        return transaction

    @asynccontextmanager
    async def transaction(
        self, kind: str, *, begin: LiteralString = "BEGIN", patience: float = PATIENCE
    ) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Run the block in a transaction. Raises FailedError if it failed or its outcome is unknown."""
        record = self.begin(kind)
        sent = False
        try:
            conn = await self._connect()
            with _cut_off_after(conn, patience):
                await conn.execute(begin)
                row = await (await conn.execute(_DECLARE, {"tag": record.tag, "actor": self.name})).fetchone()
                record.xid = row[2] if row else None
                await conn.execute(_MARK, [record.tag])
                yield conn
                sent = True
                done = await conn.execute("COMMIT")
            record.outcome = "ok" if done.statusmessage == "COMMIT" else "fail"
        except (psycopg.Error, OSError) as error:
            # An error reported by the server means a rollback. Only a lost connection leaves the outcome unknown.
            answered = isinstance(error, psycopg.Error) and error.sqlstate is not None and not _ended(error)
            record.outcome = "unknown" if sent and not answered else "fail"
            record.error = f"{type(error).__name__}: {error}".strip()[:200]
            raise FailedError(record.error) from error
        except GiveUp as reason:
            record.outcome, record.error = "fail", f"rolled back on purpose: {reason}"
        finally:
            record.ended = time.monotonic()
            await self._clean()

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = await psycopg.AsyncConnection.connect(
                self.world.writers_dsn(), autocommit=True, connect_timeout=3, options=_OPTIONS, prepare_threshold=None
            )
        return self._conn

    async def _clean(self) -> None:
        """Roll back an open transaction; if that fails, close the connection."""
        conn = self._conn
        if conn is None or conn.closed:
            return
        if conn.info.transaction_status is TransactionStatus.IDLE:
            return
        try:
            with _cut_off_after(conn, 3):
                await conn.execute("ROLLBACK")
        except (psycopg.Error, OSError):
            await self.close()


class _cut_off_after:  # noqa: N801 - it reads as a statement
    """Shut down the connection's socket after some seconds: a waiting statement then fails without a cancellation.

    Cancelling a psycopg statement would wait for the server again, which may be gone.
    """

    def __init__(self, conn: psycopg.AsyncConnection[Any], seconds: float) -> None:
        self._conn = conn
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._cut)

    def __exit__(self, *exc_info: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _cut(self) -> None:
        with suppress(psycopg.Error, OSError):
            descriptor = os.dup(self._conn.fileno())
            with socket.socket(fileno=descriptor) as sock:
                sock.shutdown(socket.SHUT_RDWR)


def _ended(error: psycopg.Error) -> bool:
    """Whether the server ended the connection, possibly during the COMMIT (57P01 and similar)."""
    return (error.sqlstate or "").startswith(("57P", "08"))
