"""The fixtures that the other tests stand on."""

import psycopg

from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database


async def test_a_clone_is_migrated_and_its_own(database: Database, other_database: Database) -> None:
    await database.execute("INSERT INTO boards (id, name, phases) VALUES ('b1', 'One', '[]')")
    assert await database.execute("SELECT id FROM boards") == [{"id": "b1"}]
    assert await other_database.execute("SELECT id FROM boards") == []


async def test_an_empty_database_is_empty(empty_database: Database) -> None:
    found = await empty_database.execute("SELECT count(*) AS n FROM pg_tables WHERE schemaname IN ('public', 'feed')")
    assert found == [{"n": 0}]


def test_an_own_server_may_be_killed(own_server: EmbeddedPostgres) -> None:
    own_server.kill()
    own_server.start()
    with psycopg.connect(own_server.url()) as connection:
        assert connection.execute("SELECT count(*) FROM boards").fetchone() == (0,)
