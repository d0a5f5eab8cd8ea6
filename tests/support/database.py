"""Throw-away databases: a clone costs a few milliseconds, so no test shares one and none has to tidy up."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow, dict_row

from db.embedded import EmbeddedPostgres
from db.settings import Settings

TEMPLATE = "template_boardcast"


@dataclass(frozen=True)
class Database:
    """A database for one test."""

    url: str
    name: str

    def settings(self, **others: Any) -> Settings:
        return Settings(database_url=self.url, **others)

    async def connect(self, *, autocommit: bool = True, **parameters: Any) -> AsyncConnection[DictRow]:
        """Connect for `async with`, or to close by hand."""
        return await AsyncConnection.connect(self.url, autocommit=autocommit, row_factory=dict_row, **parameters)

    async def execute(self, statement: LiteralString, parameters: Any = None) -> list[dict[str, Any]]:
        """Run one statement in a transaction of its own; its rows, if it has any."""
        async with await self.connect() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description is not None else []


def create(admin_url: str, name: str, template: str = "template1") -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )


@contextmanager
def cloned(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """Clone `template`, and drop the clone with whoever is still connected to it."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    create(server.url("postgres"), name, template)
    try:
        yield Database(server.url(name), name)
    finally:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
