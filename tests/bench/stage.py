"""The stage: an embedded PostgreSQL as it is for everybody (durable), one board, its cards, and people who watch it."""

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

SECRET = "a secret of the bench, long enough for HS256"
CARDS = 1000
PEOPLE = 1000


@dataclass(frozen=True)
class Stage:
    url: str
    port: int
    tokens: list[tuple[str, str]]
    seconds: int | None = None

    def lasting(self, seconds: int) -> int:
        """How long a part is to last: so long, unless the command line says otherwise."""
        return self.seconds or seconds

    @asynccontextmanager
    async def feed(self, **settings: str) -> AsyncIterator[feed.Feed]:
        with psycopg.connect(self.url, autocommit=True) as conn:
            # The marks of the part before: written again they would change nothing, and make no event.
            conn.execute("UPDATE opportunities SET company = NULL")
        async with feed.running(self.url, self.port, SECRET, **settings) as running:
            yield running

    @asynccontextmanager
    async def readers(self, count: int) -> AsyncIterator[list[Reader]]:
        """So many clients, all live, each another person's."""
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
            conn.execute(
                "INSERT INTO users (id, name) SELECT 'u' || n, 'U' FROM generate_series(1, %s) AS n", (PEOPLE,)
            )
            conn.execute("INSERT INTO boards (id, name, phases) VALUES ('b', 'B', '[]')")
            conn.execute("INSERT INTO board_members (board_id, user_id, role) SELECT 'b', id, 'viewer' FROM users")
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
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        people = [f"u{n}" for n in range(1, PEOPLE + 1)]
        yield Stage(url, port, [(user, tokens.issue(user, user, 3600)) for user in people], seconds)
