"""Reads by snapshot return each row once, whole transactions and in order, whatever the writers do."""

import asyncio
import os
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import groupby, pairwise

import pytest
from psycopg import errors

from db.changelog.changes import Change, read_changes
from db.changelog.positions import Seen, read_position
from db.connection import PsycopgConnection
from feed.wire.cursor import Cursor
from tests.db.support import Connection
from tests.support.database import Database
from tests.support.until import until

pytestmark = pytest.mark.any_version

WRITERS = 8
CARDS = 40
SECONDS = float(os.environ.get("BOARDCAST_TEST_SECONDS", "3"))


class Reader:
    """Follows the log as the tailer does."""

    def __init__(self, conn: PsycopgConnection, cursor: Cursor, chunk: int = 1000) -> None:
        self._conn = conn
        self._chunk = chunk
        self.cursor = cursor
        self.passes: list[list[Change]] = []
        self.cursors = [cursor]

    @classmethod
    async def at_head(cls, conn: PsycopgConnection, chunk: int = 1000) -> "Reader":
        return cls(conn, Cursor.at("feed", await read_position(conn)), chunk)

    async def read_pass(self) -> list[Change]:
        found: list[Change] = []
        newest: tuple[int, int, datetime] | None = None
        reading = read_changes(self._conn, self.cursor.seen, threshold=10**6, chunk=self._chunk)
        async with aclosing(reading) as parts:
            async for part in parts:
                assert len(part.changes) <= self._chunk
                found += part.changes
                if found:
                    newest = max((c.seq, c.xid, c.at) for c in found)
                if part.last and part.snapshot is not None:
                    self.cursor = self.cursor.advanced(part.snapshot, part.last_xid, newest)
        self.passes.append(found)
        self.cursors.append(self.cursor)
        return found

    @property
    def changes(self) -> list[Change]:
        return [change for each in self.passes for change in each]


@pytest.fixture
async def reading(database: Database) -> AsyncIterator[PsycopgConnection]:
    async with await PsycopgConnection.connect(database.url, autocommit=True) as conn:
        yield conn


@pytest.fixture
async def others(database: Database) -> AsyncIterator[Sequence[Connection]]:
    async with await database.connect() as one, await database.connect() as two:
        yield one, two


def keys(changes: Sequence[Change]) -> list[str | None]:
    return [change.key for change in changes]


INSERT = "INSERT INTO opportunities (id, board_id) VALUES (%s, 'b1')"


async def test_changes_are_read_in_commit_order(
    db: Connection, reading: PsycopgConnection, others: Sequence[Connection]
) -> None:
    first, second = others
    reader = await Reader.at_head(reading)
    async with first.transaction():
        await first.execute(INSERT, ("early",))
        async with second.transaction():
            await second.execute(INSERT, ("late",))
        assert keys(await reader.read_pass()) == ["late"]
        assert await reader.read_pass() == []
    assert keys(await reader.read_pass()) == ["early"]
    assert await reader.read_pass() == []


async def test_an_xid_assigned_long_before_the_write(
    db: Connection, reading: PsycopgConnection, others: Sequence[Connection]
) -> None:
    first, second = others
    reader = await Reader.at_head(reading)
    async with first.transaction():
        await first.execute("SELECT pg_current_xact_id()")
        await second.execute("UPDATE opportunities SET title = 'second'")
        assert [c.version for c in await reader.read_pass()] == [2]
        await first.execute("UPDATE opportunities SET title = 'first'")
        await second.execute(INSERT, ("other",))
        assert keys(await reader.read_pass()) == ["other"]
    assert [c.version for c in await reader.read_pass()] == [3]


async def test_in_one_pass_the_writer_that_waited_comes_last(
    db: Connection, reading: PsycopgConnection, others: Sequence[Connection]
) -> None:
    first, second = others
    reader = await Reader.at_head(reading)
    async with second.transaction():
        await second.execute(INSERT, ("a",))
        async with first.transaction():
            await first.execute("UPDATE opportunities SET title = 'x' WHERE id = 'o1'")
        await second.execute("UPDATE opportunities SET title = 'y' WHERE id = 'o1'")
    found = await reader.read_pass()
    assert [(c.key, c.version) for c in found] == [("o1", 2), ("a", 1), ("o1", 3)]


async def test_rolled_back_changes_are_never_read(db: Connection, reading: PsycopgConnection) -> None:
    reader = await Reader.at_head(reading)
    async with db.transaction(force_rollback=True):
        await db.execute(INSERT, ("never",))
    async with db.transaction():
        await db.execute(INSERT, ("kept",))
        async with db.transaction(force_rollback=True):
            await db.execute(INSERT, ("nor",))
    assert keys(await reader.read_pass()) == ["kept"]


async def test_a_prepared_transaction_is_read_when_it_commits(db: Connection, reading: PsycopgConnection) -> None:
    reader = await Reader.at_head(reading)
    # PostgreSQL cannot prepare a transaction that sent NOTIFY. The next read finds the rows of one that did not.
    await db.execute("SELECT setval('feed.notify_suppressed_until', 9007199254740991)")
    await db.execute("BEGIN")
    await db.execute(INSERT, ("o3",))
    await db.execute("PREPARE TRANSACTION 'boardcast-test'")
    await db.execute(INSERT, ("o4",))
    assert keys(await reader.read_pass()) == ["o4"]
    await db.execute("COMMIT PREPARED 'boardcast-test'")
    assert keys(await reader.read_pass()) == ["o3"]


async def test_a_board_above_the_threshold_becomes_one_resync_and_memberships_stay(
    db: Connection, reading: PsycopgConnection
) -> None:
    reader = await Reader.at_head(reading)
    await db.execute("INSERT INTO opportunities (board_id) SELECT 'b1' FROM generate_series(1, 30)")
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    await db.execute("INSERT INTO feed.board_members SELECT 'b1', id, 'viewer' FROM users")
    for collapsed in (False, True):
        async with aclosing(
            read_changes(reading, reader.cursor.seen, collapsed=collapsed, threshold=10, chunk=5)
        ) as parts:
            found = [change async for part in parts for change in part.changes]
        assert [(c.op, c.relation, c.board, c.size) for c in found] == [
            ("resync", "opportunities", "b1", 30),
            ("insert", "opportunities", "b2", 1),
            ("insert", "feed.board_members", "b1", 1),
            ("insert", "feed.board_members", "b1", 1),
        ]


async def test_a_collapsed_read_returns_the_newest_state_of_each_row(
    db: Connection, reading: PsycopgConnection
) -> None:
    reader = await Reader.at_head(reading)
    await db.execute("UPDATE opportunities SET title = 'B', phase = 'won'")
    await db.execute("UPDATE opportunities SET title = 'C', phase = 'lost'")
    await db.execute(INSERT, ("made",))
    await db.execute("UPDATE opportunities SET title = 'M' WHERE id = 'made'")
    await db.execute(INSERT, ("gone",))
    await db.execute("DELETE FROM opportunities WHERE id = 'gone'")
    async with aclosing(read_changes(reading, reader.cursor.seen, collapsed=True, threshold=100, chunk=100)) as parts:
        (part,) = [part async for part in parts]
    assert [(c.key, c.op, c.version, c.size) for c in part.changes] == [
        ("o1", "update", 3, 2),
        ("made", "insert", 2, 2),
        ("gone", "delete", 1, 2),
    ]
    moved, made, _ = part.changes
    assert (moved.from_phase, moved.to_phase) == ("new", "lost")
    assert moved.body is not None
    assert '"title": "C"' in moved.body
    assert made.body is not None
    assert '"title": "M"' in made.body


async def test_a_read_of_some_boards_includes_all_memberships(db: Connection, reading: PsycopgConnection) -> None:
    reader = await Reader.at_head(reading)
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    await db.execute("INSERT INTO feed.board_members VALUES ('b2', 'ana', 'viewer'), ('b2', 'bruno', 'viewer')")
    await db.execute("UPDATE opportunities SET board_id = 'b2' WHERE id = 'o1'")
    for collapsed in (False, True):
        async with aclosing(
            read_changes(reading, reader.cursor.seen, None, ["b1"], collapsed=collapsed, threshold=10, chunk=9)
        ) as parts:
            (part,) = [part async for part in parts]
        assert [(c.op, c.relation, c.key, c.member, c.role) for c in part.changes] == [
            ("insert", "feed.board_members", '["b2", "ana"]', "ana", "viewer"),
            ("insert", "feed.board_members", '["b2", "bruno"]', "bruno", "viewer"),
            ("leave", "opportunities", "o1", None, None),
        ]


async def test_chunks_are_bounded_in_bytes(db: Connection, reading: PsycopgConnection) -> None:
    reader = await Reader.at_head(reading)
    await db.execute(
        "INSERT INTO opportunities (board_id, notes) SELECT 'b1', repeat('x', 300000) FROM generate_series(1, 40)"
    )
    async with aclosing(read_changes(reading, reader.cursor.seen, threshold=100, chunk=100)) as parts:
        sizes = [[len(change.body or "") for change in part.changes] async for part in parts]
    assert sum(map(len, sizes)) == 40
    assert max(map(sum, sizes)) < 2 * 1024 * 1024


@pytest.mark.parametrize(("seed", "chunk"), [(1, 1000), (2, 3)], ids=["whole", "in chunks"])
async def test_eight_concurrent_writers(
    database: Database, db: Connection, reading: PsycopgConnection, seed: int, chunk: int
) -> None:
    await db.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'c' || n, 'b1' FROM generate_series(1, %s) AS n", (CARDS,)
    )
    reader = await Reader.at_head(reading, chunk)
    start = reader.cursor
    writers = [
        asyncio.create_task(_write(database, random.Random(100 * seed + n)), name=f"writer {n}") for n in range(WRITERS)
    ]
    try:
        while not all(writer.done() for writer in writers):
            await reader.read_pass()
            await asyncio.sleep(0.003)
    finally:
        for writer in writers:
            writer.cancel()
        ended = await asyncio.gather(*writers, return_exceptions=True)
    assert [end for end in ended if end is not None] == []

    async def is_quiet() -> bool:
        return await reader.read_pass() == []

    await until(is_quiet, what="nothing new")
    _check(reader.changes, await _committed(db, start))
    seqs = [change.seq for change in reader.changes]
    assert seqs != sorted(seqs), "no transactions overlapped, so this proves nothing"

    # A read between any two positions returns the same rows, in a valid order.
    positions = random.Random(seed).sample(range(len(reader.cursors)), 12)
    for low, high in pairwise(sorted(positions)):
        since, to = reader.cursors[low], reader.cursors[high]
        async with aclosing(read_changes(reading, since.seen, to.seen, threshold=10**6, chunk=chunk)) as parts:
            again = [change async for part in parts for change in part.changes]
        between = [change for each in reader.passes[low:high] for change in each]
        _check(again, {change.seq: change.xid for change in between})


async def _write(database: Database, rng: random.Random) -> None:
    async with await database.connect() as conn:
        await conn.execute("SET synchronous_commit = off")
        await conn.execute("SET deadlock_timeout = '10ms'")
        loop = asyncio.get_running_loop()
        end = loop.time() + SECONDS
        while loop.time() < end:
            try:
                async with conn.transaction(force_rollback=rng.random() < 0.1):
                    if rng.random() < 0.3:
                        await conn.execute("SELECT pg_current_xact_id()")
                        await asyncio.sleep(rng.random() * 0.01)
                    for _ in range(rng.choice((1, 1, 2, 4))):
                        async with conn.transaction(force_rollback=rng.random() < 0.15):
                            await _change(conn, rng)
                        if rng.random() < 0.3:
                            await asyncio.sleep(rng.random() * 0.005)
            except errors.DeadlockDetected:
                continue


async def _change(conn: Connection, rng: random.Random) -> None:
    card = f"c{rng.randint(1, CARDS)}"
    kind = rng.random()
    if kind < 0.7:
        await conn.execute("UPDATE opportunities SET title = %s WHERE id = %s", (str(rng.random()), card))
    elif kind < 0.8:
        await conn.execute("UPDATE opportunities SET board_id = %s WHERE id = %s", (rng.choice(("b1", "b2")), card))
    elif kind < 0.9:
        await conn.execute("UPDATE opportunities SET notes = %s WHERE id < %s", (str(rng.random()), "c2"))
    else:
        await conn.execute("INSERT INTO opportunities (board_id) VALUES ('b2')")


async def _committed(db: Connection, since: Cursor) -> dict[int, int]:
    found = await (await db.execute("SELECT seq, xid::text::bigint AS xid FROM feed.log")).fetchall()
    return {row["seq"]: row["xid"] for row in found if row["xid"] not in since.seen}


def _check(changes: Sequence[Change], expected: dict[int, int]) -> None:
    """Check that each row is read once, transactions are whole, and a row's versions are in order."""
    assert len(changes) == len({change.seq for change in changes}), "a row was read twice"
    assert {change.seq: change.xid for change in changes} == expected
    transactions = [xid for xid, _ in groupby(change.xid for change in changes)]
    assert len(transactions) == len(set(transactions)), "a transaction was split"
    versions: defaultdict[str | None, list[tuple[int, int]]] = defaultdict(list)
    for change in changes:
        versions[change.key].append((change.version or 0, change.seq))
    for key, order in versions.items():
        assert order == sorted(order), key


def test_seen_is_a_set_of_transactions() -> None:
    seen = Seen(10, (4, 7))
    assert [xid for xid in range(12) if xid in seen] == [0, 1, 2, 3, 5, 6, 8, 9]
