"""Disposable databases: a clone takes a few milliseconds, so tests share none and need no cleanup."""

import asyncio
import select
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from db import demo
from db.embedded.server import EmbeddedPostgres
from db.engine import create_engine
from db.settings import Settings

TEMPLATE = "template_boardcast"
DEMO_TEMPLATE = "template_demo"


class _IdleConnection(AsyncConnection[DictRow]):
    def __del__(self) -> None:  # type: ignore[override]
        """Suppress the warning about an unclosed connection: it ends with its database."""


@dataclass(frozen=True)
class Database:
    """A database for one test."""

    url: str
    name: str
    _idle: list[_IdleConnection] = field(default_factory=list, compare=False, repr=False)

    def settings(self, **overrides: Any) -> Settings:
        return Settings(database_url=self.url, **overrides)

    async def connect(self, *, autocommit: bool = True, **parameters: Any) -> AsyncConnection[DictRow]:
        """Open a connection; the caller closes it."""
        return await AsyncConnection.connect(self.url, autocommit=autocommit, row_factory=dict_row, **parameters)

    async def execute(self, statement: LiteralString, parameters: Any = None) -> list[dict[str, Any]]:
        """Run one statement in its own transaction and return its rows, if any.

        The connection is reused by the next call: connecting takes a hundred times as long as a statement.
        """
        conn = self._take_idle() or await _IdleConnection.connect(
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

    def close_idle(self) -> None:
        """Close idle connections: a setting of a role or database applies to new connections only."""
        while self._idle:
            self._idle.pop().pgconn.finish()

    def _take_idle(self) -> _IdleConnection | None:
        while self._idle:
            conn = self._idle.pop()
            if conn.info.transaction_status is TransactionStatus.IDLE and not select.select([conn], [], [], 0)[0]:
                return conn
            conn.pgconn.finish()  # the server has closed it
        return None


def use_cheap_password_hashes(server: EmbeddedPostgres) -> None:
    """Use one round of password hashing: the default 4,096 take half of the time of a connection."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if connection.info.server_version >= 160000:
            connection.execute("SET scram_iterations = 1")
            password = sql.Literal(connection.info.password)
            connection.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(password))


def create_database(admin_url: str, name: str, template: str = "template1") -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        _create_database(connection, name, template)


def _create_database(connection: psycopg.Connection, name: str, template: str) -> None:
    connection.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        )
    )


def refuse_connections(admin_url: str, name: str) -> None:
    """Make a database a template and nothing else: feed.health counts the databases with a feed that roles can connect to."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))


def seed_demo(url: str) -> None:
    """Add the demo's data, in a thread because a test's driver may keep an event loop running in this one."""

    async def seed() -> None:
        engine = create_engine(url, size=1)
        await demo.seed(engine)
        await engine.dispose()

    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, seed()).result()


@contextmanager
def cloned(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """Clone `template`; drop the clone at the end, even if connections to it are open."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _create_database(_administrator(server.url("postgres")), name, template)
    database = Database(server.url(name), name)
    try:
        yield database
    finally:
        database.close_idle()
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        _administrator(server.url("postgres")).execute(drop)


_administrators: dict[str, psycopg.Connection] = {}


def _administrator(url: str) -> psycopg.Connection:
    """A connection that stays open, because connecting takes a third of the time of a clone; a new one if a test has ended it."""
    conn = _administrators.get(url)
    if conn is None or conn.closed or select.select([conn], [], [], 0)[0]:
        if conn is not None:
            conn.close()
        conn = _administrators[url] = psycopg.connect(url, autocommit=True)
    return conn


def close_administrator(url: str) -> None:
    """Idempotent; before the server stops."""
    if (conn := _administrators.pop(url, None)) is not None:
        conn.close()
