"""Writers for a small run: overlapping transactions of several rows, moving and deleted cards, changing members."""

import asyncio
import random
import time

import psycopg

from tests.chaos.bugs.bug import RESET, TRUNCATE
from tests.chaos.model import Fault, Journal

USERS = ["ana", "bruno", "carla"]
BOARDS = ["b1", "b2", "b3"]
_CARDS = 12
_FILL = """
INSERT INTO users (id, name) SELECT u, initcap(u) FROM unnest(ARRAY['ana', 'bruno', 'carla']) AS u;
INSERT INTO feed.boards (id, name, phases) SELECT b, b, '[]' FROM unnest(ARRAY['b1', 'b2', 'b3']) AS b;
INSERT INTO feed.board_members (board_id, user_id, role) VALUES
    ('b1', 'ana', 'admin'), ('b2', 'ana', 'editor'), ('b3', 'ana', 'editor'), ('b1', 'bruno', 'editor'), ('b2', 'carla', 'viewer');
"""
_CARD = """
INSERT INTO opportunities (id, board_id, title, phase, value)
SELECT format('%s-c%s', b, n), b, 'Card', 'new', 1.50 FROM unnest(ARRAY['b1', 'b2', 'b3']) AS b, generate_series(1, 12) AS n
ON CONFLICT DO NOTHING
"""
_GRANT = """
INSERT INTO feed.board_members (board_id, user_id, role) VALUES (%s, %s, 'viewer') ON CONFLICT DO NOTHING
"""

_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'boardcast%'
"""


def fill(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(_FILL)
        conn.execute(_CARD)


class Workload:
    def __init__(self, dsn: str, journal: Journal, rng: random.Random) -> None:
        self._dsn = dsn
        self._journal = journal
        self._rng = rng

    async def run(self, seconds: float, event: str | None) -> None:
        """Write for `seconds`, and cause the event in the middle."""
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(self._write(end, 0.0))
            tasks.create_task(self._write(end, 0.15))
            tasks.create_task(self._change_members(end))
            if event is not None:
                await asyncio.sleep(seconds / 2)
                await self._cause(event)

    async def _write(self, end: float, pause: float) -> None:
        """Write transactions with a pause after each row, so that others begin and end in between."""
        async with await psycopg.AsyncConnection.connect(self._dsn) as conn:
            while time.monotonic() < end:
                cards = sorted({self._card() for _ in range(self._rng.randint(1, 4))})
                for card in [*cards, cards[-1]]:
                    await self._change(conn, card)
                    await asyncio.sleep(pause)
                await conn.commit()
                await asyncio.sleep(self._rng.uniform(0.01, 0.06))

    def _card(self) -> str:
        return f"{self._rng.choice(BOARDS)}-c{self._rng.randint(1, _CARDS)}"

    async def _change(self, conn: psycopg.AsyncConnection[tuple[object, ...]], card: str) -> None:
        rng, roll = self._rng, self._rng.random()
        if roll < 0.1:
            await conn.execute("DELETE FROM opportunities WHERE id = %s", [card])
        elif roll < 0.25:
            await conn.execute("UPDATE opportunities SET board_id = %s WHERE id = %s", [rng.choice(BOARDS), card])
        elif roll < 0.4:
            await conn.execute("UPDATE opportunities SET phase = %s WHERE id = %s", [rng.choice(["new", "won"]), card])
        elif roll < 0.5:
            await conn.execute(
                "INSERT INTO opportunities (id, board_id, title, phase) VALUES (%s, %s, 'Again', 'new')"
                " ON CONFLICT (id) DO UPDATE SET title = 'Again'",
                [card, rng.choice(BOARDS)],
            )
        else:
            values = [str(rng.random()), f"{rng.randint(1, 999)}.{rng.randint(10, 99)}", card]
            await conn.execute("UPDATE opportunities SET title = %s, value = %s::numeric WHERE id = %s", values)

    async def _change_members(self, end: float) -> None:
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as conn:
            while time.monotonic() < end:
                board, user = self._rng.choice(["b2", "b3"]), self._rng.choice(["bruno", "carla"])
                if self._rng.random() < 0.5:
                    await conn.execute(_GRANT, [board, user])
                else:
                    await conn.execute(
                        "DELETE FROM feed.board_members WHERE board_id = %s AND user_id = %s", [board, user]
                    )
                await asyncio.sleep(self._rng.uniform(0.1, 0.4))

    async def _cause(self, event: str) -> None:
        explains = {RESET: frozenset({"foreign"}), TRUNCATE: frozenset({"resync"})}[event]
        fault = Fault(event, time.monotonic(), explains=explains)
        self._journal.faults.append(fault)
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as conn:
            if event == RESET:
                await conn.execute("SELECT feed.reset_feed('a seeded bug')")
                # A service verifies the feed from time to time, and at once on a new connection.
                await conn.execute(_TERMINATE)
            else:
                await conn.execute("TRUNCATE opportunities")
                await conn.execute(_CARD)
        fault.ended = time.monotonic()
