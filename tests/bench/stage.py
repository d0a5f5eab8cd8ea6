"""The setup of a run: an embedded PostgreSQL with default (durable) settings, one board, its cards, and users who watch it."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import psycopg

from db import migrate
from db.embedded.server import ephemeral_postgres
from db.settings import Settings
from feed.access.tokens import Tokens
from tests.bench import feed
from tests.bench.reader import Reader, connect

SECRET = "a secret for the benchmarks, long enough for HS256"
CARDS = 1000
USERS = 1000


@dataclass(frozen=True)
class Stage:
    url: str
    port: int
    tokens: list[tuple[str, str]]
    seconds: int | None = None

    def lasting(self, seconds: int) -> int:
        """Return the duration of a load in seconds: this one, unless the command line overrides it."""
        return self.seconds or seconds

    @asynccontextmanager
    async def feed(self, **settings: str) -> AsyncIterator[feed.Feed]:
        with psycopg.connect(self.url, autocommit=True) as conn:
            # Remove the marks of an earlier load: writing them again would change nothing and cause no event.
            conn.execute("UPDATE opportunities SET company = NULL")
        async with feed.running(self.url, self.port, SECRET, **settings) as running:
            yield running

    @asynccontextmanager
    async def readers(self, count: int) -> AsyncIterator[list[Reader]]:
        """Connect this many live clients, each of a different user."""
        readers = await connect(self.port, self.tokens[:count])
        try:
            yield readers
        finally:
            for reader in readers:
                reader.close()


@contextmanager
def stage(seconds: int | None = None) -> Iterator[Stage]:
    with ephemeral_postgres() as server:
        url = server.url()
        migrate.upgrade(url)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("INSERT INTO users (id, name) SELECT 'u' || n, 'U' FROM generate_series(1, %s) AS n", (USERS,))
            conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b', 'B', '[]')")
            conn.execute("INSERT INTO feed.board_members (board_id, user_id, role) SELECT 'b', id, 'viewer' FROM users")
            conn.execute(
                "INSERT INTO opportunities (id, board_id, title, company, contact, value, phase, notes) SELECT 'o' || n, 'b', "
                "'A deal of some size', 'A company', 'Somebody', 1234.56, 'proposal', repeat('What was said. ', 10) "
                "FROM generate_series(0, %s) AS n",
                (CARDS - 1,),
            )
            conn.execute("CREATE TABLE unfed AS SELECT * FROM opportunities")
            conn.execute("ALTER TABLE unfed ADD PRIMARY KEY (id)")
            conn.execute("VACUUM ANALYZE")
        tokens = Tokens(Settings(jwt_secret=SECRET))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        users = [f"u{n}" for n in range(1, USERS + 1)]
        yield Stage(url, port, [(user, tokens.issue(user, user, 3600)) for user in users], seconds)
