"""A migration beside writers: nobody waits behind its locks, and nothing that they write is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import errors

from db import migrate
from tests.db.support import Connection, rows, value
from tests.db.verifying import find_drift
from tests.support.database import Database
from tests.support.until import until

pytestmark = pytest.mark.any_version

APPLICATION = """
    CREATE TABLE users (id integer PRIMARY KEY, name text);
    CREATE TABLE opportunities (id integer PRIMARY KEY, title text NOT NULL, owner_id integer REFERENCES users (id), key text);
    INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 20) AS n;
    INSERT INTO opportunities SELECT n, 'deal ' || n, 1 + n % 20 FROM generate_series(1, 6000) AS n;
"""
TOOL: LiteralString = "ALTER TABLE opportunities DROP COLUMN board_id, DROP COLUMN position, DROP COLUMN version_number"
INVALID = """
    SELECT EXISTS (SELECT FROM pg_index
                   WHERE indexrelid = to_regclass('feed_opportunities_board_id') AND NOT indisvalid)
"""
MIGRATING = "FROM pg_stat_activity WHERE application_name = 'boardcast-migrate'"


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    async with await empty_database.connect() as conn:
        await conn.execute(APPLICATION)
        yield conn


async def adopt(database: Database) -> None:
    await asyncio.to_thread(migrate.adopt, database.url, "opportunities", {}, users="users")


async def upgrade(database: Database) -> None:
    await asyncio.to_thread(migrate.upgrade, database.url)


async def install_feed(database: Database) -> None:
    await asyncio.to_thread(migrate.upgrade, database.url, feed_only=True)


async def mend(database: Database) -> None:
    await asyncio.to_thread(migrate.mend, database.url)


async def downgrade(database: Database) -> None:
    await asyncio.to_thread(migrate.downgrade, database.url)


async def attach(database: Database) -> None:
    await _execute(database, "SELECT feed.attach('opportunities')")


async def detach(database: Database) -> None:
    await _execute(database, "SELECT feed.detach('opportunities')")


async def _execute(database: Database, statement: LiteralString) -> None:
    async with await database.connect() as conn:
        await conn.execute("SET application_name = 'boardcast-migrate'")
        await conn.execute(statement)


Action = Callable[[Database], Coroutine[Any, Any, None]]
STEPS: dict[str, tuple[list[Action], LiteralString, Action]] = {
    "migrate": ([], "", upgrade),
    "adopt": ([], "", adopt),
    "migrate after a schema tool": ([upgrade], f"{TOOL}; DROP TRIGGER feed_capture_update ON opportunities", mend),
    "migrate without the index": ([upgrade], "DROP INDEX feed_opportunities_board_id", mend),
    "attach": ([install_feed], "", attach),
    "detach": ([install_feed, attach], "", detach),
    "migrate --down": ([upgrade], "", downgrade),
}
"""By name: what comes before, what a tool does then, and what is done beside writers."""


@pytest.mark.parametrize("step", STEPS)
async def test_writers_go_on_while_it_waits_for_an_open_transaction(
    app: Connection, empty_database: Database, step: str
) -> None:
    earlier, tool, action = STEPS[step]
    for each in earlier:
        await each(empty_database)
    await app.execute(tool)
    async with await empty_database.connect(autocommit=False) as oldest, await empty_database.connect() as writer:
        await oldest.execute("UPDATE users SET name = 'x' WHERE id = 1")
        await oldest.execute("UPDATE opportunities SET title = 'open' WHERE id = 1")
        task = asyncio.create_task(action(empty_database))
        await until(lambda: _waits(app), timeout=60, what="the migration to wait")
        await writer.execute("SET lock_timeout = '10s'")
        for number in range(8):  # some of them while an attempt is waiting, some between attempts
            await writer.execute("UPDATE opportunities SET title = %s, owner_id = 2 WHERE id = 2", [f"new {number}"])
            await writer.execute("UPDATE users SET name = 'y' WHERE id = 2")
            await asyncio.sleep(0.1)
        assert not task.done()
        await oldest.commit()
        await asyncio.wait_for(task, 60)
    assert await rows(app, "SELECT title FROM opportunities WHERE id IN (1, 2) ORDER BY id") == [
        {"title": "open"},
        {"title": "new 7"},
    ]


async def test_no_transaction_is_ended_in_favor_of_the_migration(app: Connection, empty_database: Database) -> None:
    """The writers lock the two tables in both orders."""
    orders: tuple[LiteralString, LiteralString] = (
        "UPDATE users SET name = name || '.' WHERE id = %(user)s",
        "UPDATE opportunities SET title = title || '.', owner_id = %(user)s WHERE id = %(id)s",
    )
    async with _writing(empty_database, orders, range(1, 3)), _writing(empty_database, orders[::-1], range(3, 5)):
        await upgrade(empty_database)
        await _execute_between_writers(app, TOOL)
        await mend(empty_database)
        async with await psycopg.AsyncConnection.connect(empty_database.url, autocommit=True) as conn:
            assert await find_drift(conn, part=2000) == []
        await downgrade(empty_database)
    assert await value(app, "SELECT to_regnamespace('feed') IS NULL")


@pytest.mark.parametrize("step", STEPS)
async def test_no_writer_waits_while_it_waits_for_a_vacuum(
    app: Connection, empty_database: Database, step: str
) -> None:
    earlier, tool, action = STEPS[step]
    for each in earlier:
        await each(empty_database)
    await app.execute(tool)
    async with await empty_database.connect(autocommit=False) as vacuum, await empty_database.connect() as writer:
        await vacuum.execute("LOCK TABLE opportunities IN SHARE UPDATE EXCLUSIVE MODE")  # the lock of VACUUM
        task = asyncio.create_task(action(empty_database))
        await until(lambda: _waits(app), timeout=60, what="the migration to wait")
        await writer.execute("SET lock_timeout = '1ms'")
        for number in range(10):
            await writer.execute("UPDATE opportunities SET title = %s WHERE id = 2", [f"new {number}"])
            await asyncio.sleep(0.1)
        assert not task.done()
        await vacuum.commit()
        await asyncio.wait_for(task, 60)


async def test_it_gives_up_and_names_the_sessions(app: Connection, empty_database: Database) -> None:
    await upgrade(empty_database)
    async with await empty_database.connect(autocommit=False) as oldest:
        await oldest.execute("SELECT 1 FROM opportunities LIMIT 1")
        with pytest.raises(errors.LockNotAvailable, match="could not be locked") as raised:
            await app.execute("SELECT feed.lock_tables('{users,opportunities}', patience => '0.1 s')")
        assert f"pid {oldest.info.backend_pid}" in (raised.value.diag.message_hint or "")
        assert await value(app, "SHOW lock_timeout") == "0"
        await app.execute("UPDATE users SET name = 'z' WHERE id = 1")


async def test_values_are_restored_in_parts_and_newer_ones_stay(
    app: Connection, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_ROWS", 1000)
    await upgrade(empty_database)
    await app.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('east', 'E', '[]'), ('west', 'W', '[]')")
    await app.execute("UPDATE opportunities SET board_id = 'east', position = 'p' || id WHERE id <= 3000")
    await app.execute("ALTER TABLE opportunities DROP COLUMN board_id, DROP COLUMN position")
    await app.execute("UPDATE opportunities SET title = 'meanwhile' WHERE id = 5")
    with pytest.MonkeyPatch.context() as interrupted:  # after the structure, before the rows
        interrupted.setattr(migrate, "_finish", lambda url: [])
        lines = migrate.mend(empty_database.url)
    assert lines == ["added column board_id", "added column position"]
    assert await value(app, "SELECT found FROM feed.health WHERE topic = 'opportunities'") == (
        "values of board_id, position are being restored from the log in opportunities"
    )
    await app.execute("UPDATE opportunities SET board_id = 'west' WHERE id = 7")
    await app.execute("UPDATE opportunities SET title = 'afterward' WHERE id = 8")
    await app.execute("INSERT INTO opportunities (id, title) VALUES (30000, 'new')")
    lines = migrate.mend(empty_database.url)
    assert lines[0] == "restored board_id, position in 3000 rows from the log"
    assert await rows(app, "SELECT board_id, count(*) AS n FROM opportunities GROUP BY 1 ORDER BY 1") == [
        {"board_id": "east", "n": 2999},
        {"board_id": "main", "n": 3001},
        {"board_id": "west", "n": 1},
    ]
    assert await rows(app, "SELECT board_id, position, title FROM opportunities WHERE id IN (5, 7, 8) ORDER BY id") == [
        {"board_id": "east", "position": "p5", "title": "meanwhile"},
        {"board_id": "west", "position": "p7", "title": "deal 7"},
        {"board_id": "east", "position": "p8", "title": "afterward"},
    ]
    assert migrate.mend(empty_database.url) == []
    assert await value(app, "SELECT count(*) FROM feed.health WHERE topic = 'indexes' AND status = 'ok'") == 1


async def test_an_index_whose_creation_was_interrupted_is_created_anew(
    app: Connection, empty_database: Database
) -> None:
    await upgrade(empty_database)
    await app.execute("DROP INDEX feed_opportunities_board_id")
    async with await empty_database.connect(autocommit=False) as oldest:
        await oldest.execute("UPDATE opportunities SET title = 'x' WHERE id = 1")
        task = asyncio.create_task(mend(empty_database))
        await until(lambda: value(app, INVALID), timeout=20, what="the index to be in the making")
        await app.execute(f"SELECT pg_terminate_backend(pid) {MIGRATING}")
        with pytest.raises(Exception, match=r"terminat|closed|connection"):
            await task
    assert await value(app, INVALID)
    await mend(empty_database)
    assert not await value(app, INVALID)
    assert await value(app, "SELECT status FROM feed.health WHERE topic = 'indexes'") == "ok"


async def test_the_index_of_a_partitioned_table(empty_database: Database) -> None:
    async with await empty_database.connect() as conn:
        await conn.execute(
            "CREATE TABLE opportunities (id int PRIMARY KEY, title text NOT NULL DEFAULT '') PARTITION BY RANGE (id);"
            "CREATE TABLE low PARTITION OF opportunities FOR VALUES FROM (0) TO (10);"
            "CREATE SCHEMA more; CREATE TABLE more.high PARTITION OF opportunities FOR VALUES FROM (10) TO (20)"
            " PARTITION BY RANGE (id);"
            "CREATE TABLE more.higher PARTITION OF more.high FOR VALUES FROM (10) TO (20);"
            "INSERT INTO opportunities SELECT n FROM generate_series(0, 19) AS n"
        )
        indexes = (
            "SELECT count(*) FROM pg_index WHERE indrelid IN (SELECT relid FROM pg_partition_tree('opportunities'))"
        )
        before = await value(conn, indexes)
        await upgrade(empty_database)
        assert await value(conn, indexes) == before + 4
        assert await value(conn, "SELECT status FROM feed.health WHERE topic = 'indexes'") == "ok"
        assert migrate.mend(empty_database.url) == []
        await downgrade(empty_database)
        assert await value(conn, indexes) == before


async def _waits(app: Connection) -> bool:
    """Whether a migration waits for a lock, or pauses between two attempts."""
    found = await value(app, f"SELECT count(*) {MIGRATING} AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep')")
    return bool(found)


@asynccontextmanager
async def _writing(database: Database, statements: tuple[LiteralString, ...], ids: range) -> AsyncIterator[None]:
    """Run transactions of these statements, one after the other, until the block ends; an error of theirs is raised."""
    stopped = asyncio.Event()

    async def write() -> None:
        async with await database.connect(autocommit=False) as conn:
            while not stopped.is_set():
                for number in ids:
                    for statement in statements:
                        await conn.execute(statement, {"user": number, "id": number})
                    await conn.commit()
                    await asyncio.sleep(0.005)  # leaves the processor to the migration

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        stopped.set()
        await task


async def _execute_between_writers(app: Connection, statement: LiteralString) -> None:
    """Run DDL of the application, which may deadlock with its own writers."""
    await app.execute("SET lock_timeout = '200ms'")
    for _ in range(100):
        try:
            await app.execute(statement)
        except errors.LockNotAvailable:
            await asyncio.sleep(0.05)
        else:
            break
    await app.execute("RESET lock_timeout")
