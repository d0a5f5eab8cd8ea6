"""Throw-away databases: a clone costs a few milliseconds, so no test shares one and none has to tidy up."""

import select
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from db.embedded.server import EmbeddedPostgres
from db.settings import Settings

TEMPLATE = "template_boardcast"


class _Kept(AsyncConnection[DictRow]):
    def __del__(self) -> None:  # type: ignore[override]
        """Do not warn that it was never closed: it ends with its database."""


@dataclass(frozen=True)
class Database:
    """A database for one test."""

    url: str
    name: str
    _idle: list[_Kept] = field(default_factory=list, compare=False, repr=False)

    def settings(self, **others: Any) -> Settings:
        return Settings(database_url=self.url, **others)

    async def connect(self, *, autocommit: bool = True, **parameters: Any) -> AsyncConnection[DictRow]:
        """Connect for `async with`, or to close by hand."""
        return await AsyncConnection.connect(self.url, autocommit=autocommit, row_factory=dict_row, **parameters)

    async def execute(self, statement: LiteralString, parameters: Any = None) -> list[dict[str, Any]]:
        """Run one statement in a transaction of its own; its rows, if it has any.

        Its connection is kept for the next one: to make one takes a hundred times as long as a statement.
        """
        conn = self._kept() or await _Kept.connect(
            self.url, autocommit=True, row_factory=dict_row, prepare_threshold=None
        )
        try:
            cursor = await conn.execute(statement, parameters)
            rows = await cursor.fetchall() if cursor.description is not None else []
        except BaseException:
            await conn.close()
            raise
        self._idle.append(conn)
        return rows

    def leave(self) -> None:
        """Close what is kept: what is set for a role or a database holds for new connections only."""
        while self._idle:
            self._idle.pop().pgconn.finish()

    def _kept(self) -> _Kept | None:
        while self._idle:
            conn = self._idle.pop()
            if conn.info.transaction_status is TransactionStatus.IDLE and not select.select([conn], [], [], 0)[0]:
                return conn
            conn.pgconn.finish()  # its server has ended it
        return None


def cheapen(server: EmbeddedPostgres) -> None:
    """Let a client prove its password by one round of hashing: the 4,096 of the default are half of what a connection costs."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if connection.info.server_version >= 160000:
            connection.execute("SET scram_iterations = 1")
            password = sql.Literal(connection.info.password)
            connection.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(password))


def create(admin_url: str, name: str, template: str = "template1") -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


@contextmanager
def cloned(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """Clone `template`, and drop the clone with whoever is still connected to it."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    create(server.url("postgres"), name, template)
    database = Database(server.url(name), name)
    try:
        yield database
    finally:
        database.leave()
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
