"""The database fixtures that the other tests use."""

import psycopg
import pytest

from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database

pytestmark = pytest.mark.any_version


async def test_a_clone_is_migrated_and_isolated(database: Database, other_database: Database) -> None:
    await database.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')")
    assert await database.execute("SELECT id FROM feed.boards") == [{"id": "b1"}]
    assert await other_database.execute("SELECT id FROM feed.boards") == []


async def test_an_empty_database_is_empty(empty_database: Database) -> None:
    found = await empty_database.execute("SELECT count(*) AS n FROM pg_tables WHERE schemaname IN ('public', 'feed')")
    assert found == [{"n": 0}]


def test_own_server_survives_a_kill(own_server: EmbeddedPostgres) -> None:
    own_server.kill()
    own_server.start()
    with psycopg.connect(own_server.url()) as connection:
        assert connection.execute("SELECT count(*) FROM feed.boards").fetchone() == (0,)
