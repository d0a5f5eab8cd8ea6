"""A board with a card on it, and a connection to it."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from tests.db.support import Connection
from tests.db.verifying import Plain
from tests.support.database import Database


@pytest.fixture
async def db(database: Database) -> AsyncIterator[Connection]:
    """Autocommit, so that each statement is a transaction of its own. The log is empty but for what made the board."""
    async with await database.connect() as conn:
        await conn.execute("INSERT INTO users (id, name) VALUES ('ana', 'Ana'), ('bruno', 'Bruno')")
        await conn.execute("INSERT INTO boards (id, name, phases) VALUES ('b1', 'One', '[]'), ('b2', 'Two', '[]')")
        await conn.execute(
            "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o1', 'b1', 'A deal', 'new')"
        )
        yield conn


@pytest.fixture
async def conn(database: Database, db: Connection) -> AsyncIterator[Plain]:
    """Another, whose rows are tuples, as the services have them."""
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        yield conn
