"""Polling in pages: a client that applies every page, at any pace, ends with the cards that it may see.

BOARDCAST_TEST_EXAMPLES sets how many histories are tried (40 otherwise).
"""

import itertools
import json
import os
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from db.changelog import polling
from db.changelog.positions import Seen
from db.engine import create_engine
from feed.wire.cursor import Cursor
from tests.support.database import Database

EXAMPLES = int(os.environ.get("BOARDCAST_TEST_EXAMPLES", "40"))
WRITERS, CARDS, BOARDS, CLIENTS = 3, 2, 3, 3
NUMBERS = itertools.count()


class Write(NamedTuple):
    """A statement of a writer's transaction. Each writer has its own cards and grants on its own board, so none blocks another."""

    writer: int
    op: str
    card: int = 0
    board: int = 0


class Poll(NamedTuple):
    client: int
    limit: int
    restart: bool = False


STATEMENTS = {
    "insert": "INSERT INTO opportunities (id, board_id) VALUES (%(card)s, %(board)s) ON CONFLICT DO NOTHING",
    "edit": "UPDATE opportunities SET title = title || '+' WHERE id = %(card)s",
    "move": "UPDATE opportunities SET board_id = %(board)s WHERE id = %(card)s",
    "delete": "DELETE FROM opportunities WHERE id = %(card)s",
    "grant": "INSERT INTO feed.board_members VALUES (%(own)s, %(user)s, 'viewer') ON CONFLICT DO NOTHING",
    "role": (
        "UPDATE feed.board_members SET role = CASE role WHEN 'viewer' THEN 'editor' ELSE 'viewer' END"
        " WHERE board_id = %(own)s AND user_id = %(user)s"
    ),
    "revoke": "DELETE FROM feed.board_members WHERE board_id = %(own)s AND user_id = %(user)s",
    "take xid": "SELECT pg_current_xact_id()",
    "commit": "COMMIT",
    "rollback": "ROLLBACK",
}

_ops = st.sampled_from(
    ["insert", "insert", "edit", "move", "move", "delete", "grant", "revoke", "role", "take xid", "rollback"]
)
_writes = st.builds(Write, st.integers(0, WRITERS - 1), _ops, st.integers(0, CARDS - 1), st.integers(0, BOARDS - 1))
_commits = st.integers(0, WRITERS - 1).map(lambda writer: Write(writer, "commit"))
_polls = st.builds(Poll, st.integers(0, CLIENTS - 1), st.integers(1, 3), st.sampled_from([False] * 9 + [True]))
_histories = st.lists(st.one_of(_writes, _writes, _writes, _commits, _commits, _polls), max_size=60)

HELD = [
    Write(0, "grant"),
    Write(0, "insert", 0, 0),
    Write(0, "insert", 1, 0),
    Write(0, "commit"),
    Poll(0, 1),
    Poll(0, 1),
    Poll(0, 1),
]
REVOKED_THEN_LEFT = [
    *HELD,
    *(
        Write(0, "revoke"),
        Write(0, "commit"),
        Write(0, "move", 0, 1),
        Write(0, "commit"),
        Write(0, "delete", 1),
        Write(0, "commit"),
    ),
    *(Poll(0, 1), Poll(0, 1)),
]
"""The page that ends at the revocation must include the cards that left the board after it."""
LEFT_LATER_WITH_A_LOWER_XID = [
    *HELD,
    *(
        Write(1, "insert", 0, 0),
        Write(1, "commit"),
        Poll(0, 3),
        Write(1, "take xid"),
        Write(0, "revoke"),
        Write(0, "commit"),
        Poll(0, 1),
    ),
    *(Write(1, "move", 0, 2), Write(1, "commit"), Poll(0, 1)),
]


class Client:
    """A client as docs/protocol.md describes it: rows in a page replace the ones it has."""

    def __init__(self, engine: AsyncEngine, user: str) -> None:
        self.engine, self.user = engine, user
        self.cards: dict[str, Any] = {}
        self.seen: Seen | None = None

    async def poll(self, limit: int) -> bool:
        async with polling.consistent_read(self.engine) as conn:
            now = Cursor.at("x", await polling.position(conn)).seen
            if self.seen is None:
                all_cards = json.loads(await polling.all_opportunities(conn, self.user))
                self.cards, self.seen = {card["id"]: card for card in all_cards}, now
                return False
            page = await polling.page(conn, self.user, self.seen, limit=limit)
        assert page.reload is None
        self.cards |= {card["id"]: card for card in map(json.loads, page.changed)}
        for gone in page.deleted:
            self.cards.pop(gone, None)
        self.seen = page.seen or now
        return page.seen is not None


class World:
    """Writers and clients on one database; each history has its own user, boards and cards."""

    def __init__(self, database: Database, engine: AsyncEngine, writers: list[psycopg.AsyncConnection[Any]]) -> None:
        self.database, self.engine, self.writers = database, engine, writers

    async def run(self, history: list[Write | Poll]) -> None:
        number = next(NUMBERS)
        user = f"u{number}"
        boards = [f"b{number}-{n}" for n in range(BOARDS)]
        await self.database.execute("INSERT INTO users (id) VALUES (%s)", (user,))
        await self.database.execute(
            "INSERT INTO feed.boards (id, name, phases) SELECT b, b, '[]' FROM unnest(%s::text[]) AS b", (boards,)
        )
        clients = [Client(self.engine, user) for _ in range(CLIENTS)]
        for step in history:
            if isinstance(step, Poll):
                if step.restart:
                    clients[step.client] = Client(self.engine, user)
                await clients[step.client].poll(step.limit)
                continue
            names = {
                "card": f"c{number}-{step.writer}-{step.card}",
                "board": boards[step.board],
                "own": boards[step.writer],
                "user": user,
            }
            await self.writers[step.writer].execute(STATEMENTS[step.op], names)
        for writer in self.writers:
            await writer.commit()
        await self.check(clients, user)

    async def check(self, clients: list[Client], user: str) -> None:
        async with polling.consistent_read(self.engine) as conn:
            expected = {card["id"]: card for card in json.loads(await polling.all_opportunities(conn, user))}
        for limit, client in enumerate(clients, 1):
            for _ in range(200):
                if not await client.poll(limit):
                    break
            assert client.cards == expected


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    engine = create_engine(database.url, size=2)
    writers = [await psycopg.AsyncConnection.connect(database.url) for _ in range(WRITERS)]
    yield World(database, engine, writers)
    for writer in writers:
        await writer.close()
    await engine.dispose()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(history=_histories)
@example(history=REVOKED_THEN_LEFT)
@example(history=LEFT_LATER_WITH_A_LOWER_XID)
async def test_polled_pages_converge_to_the_table(world: World, history: list[Write | Poll]) -> None:
    await world.run(history)
