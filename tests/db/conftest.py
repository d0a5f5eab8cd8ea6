"""Connections to a database with two boards and one card."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from db.embedded.server import EmbeddedPostgres
from db.session import with_settings
from tests.db.support import Connection, add_rows
from tests.db.verifying import Plain
from tests.support.database import Database, cloned


@pytest.fixture
async def db(database: Database) -> AsyncIterator[Connection]:
    """Each statement is its own transaction (autocommit). The log holds only the rows that the setup wrote."""
    async with await database.connect() as conn:
        await add_rows(conn)
        yield conn


@pytest.fixture(scope="module")
async def unchanged_db(server: EmbeddedPostgres, template: str) -> AsyncIterator[Connection]:
    """The same, shared by tests that roll back everything they do."""
    with cloned(server, template) as database:
        async with await database.connect() as conn:
            await add_rows(conn)
            yield conn


@pytest.fixture
async def conn(database: Database, db: Connection) -> AsyncIterator[Plain]:
    """A second connection whose rows are tuples, like those of the services."""
    options = with_settings({})
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True, options=options) as conn:
        yield conn
