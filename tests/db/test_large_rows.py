"""For a change of a large row, the log has only the changed columns, and readers get whole rows from it."""

import json
from itertools import pairwise
from typing import Any, LiteralString

import pytest
from psycopg.sql import SQL

from db.changelog.changes import Change, read_changes
from db.changelog.positions import Seen, read_position
from feed.wire.cursor import Cursor
from tests.db.support import Connection, log_rows, newest_seq, rows, value
from tests.db.verifying import Plain, bypass_triggers, find_drift
from tests.support.database import Database
from tests.support.fold import delivered_log, fold

pytestmark = pytest.mark.any_version

ALWAYS = {"version_number", "last_sync_at"}
"""Columns that each change of an opportunity changes."""


@pytest.fixture(autouse=True)
async def noise(db: Connection) -> None:
    """A function that makes text that does not compress."""
    await db.execute(
        "CREATE FUNCTION noise(digests int) RETURNS text LANGUAGE sql AS"
        " $$ SELECT string_agg(md5(random()::text || i), '') FROM generate_series(1, digests) AS i $$"
    )


async def wal_of(db: Connection, statement: LiteralString, times: int = 10) -> float:
    """Bytes of WAL for each run of a statement, the least of three attempts, because autovacuum and other processes write WAL too.

    The servers of the tests write no full pages.
    """
    return min([await _wal_of(db, statement, times) for _ in range(3)])


async def _wal_of(db: Connection, statement: LiteralString, times: int) -> float:
    start = await value(db, "SELECT pg_current_wal_insert_lsn()")
    for _ in range(times):
        await db.execute(statement)
    return float(await value(db, "SELECT pg_current_wal_insert_lsn() - %s::pg_lsn", (start,))) / times


@pytest.mark.parametrize(
    ("columns", "stored"),
    [
        ("notes text", "noise(20)"),
        ("notes text", "noise(600)"),
        ("notes text", "noise(6400)"),
        ("notes jsonb", "jsonb_build_object('text', noise(6400))"),
        ("notes bytea", "convert_to(noise(6400), 'UTF8')"),
        (", ".join(f"c{n} text DEFAULT md5('{n}')" for n in range(300)) + ", notes text", "'short'"),
        (", ".join(f"c{n} text DEFAULT repeat(md5('{n}'), 60)" for n in range(30)) + ", notes text", "'short'"),
    ],
    ids=["600 bytes", "19 KB", "200 KB", "200 KB of JSON", "200 KB of bytes", "300 columns", "30 long columns"],
)
async def test_a_change_writes_at_most_4_kb_more(db: Connection, columns: LiteralString, stored: LiteralString) -> None:
    await db.execute(SQL("CREATE TABLE t (id int PRIMARY KEY, title text, {})").format(SQL(columns)))
    await db.execute(SQL("INSERT INTO t (id, title, notes) VALUES (4, 'x', {0}), (7, 'x', {0})").format(SQL(stored)))
    without = await wal_of(db, "UPDATE t SET title = md5(random()::text) WHERE id = 7")
    await db.execute("SELECT feed.attach('t')")
    await db.execute("UPDATE t SET title = 'the first change of a row is logged with the whole row' WHERE id = 4")
    logged = await wal_of(db, "UPDATE t SET title = md5(random()::text) WHERE id = 4")
    assert logged - without < 4096


WRITES: tuple[LiteralString, ...] = (
    "UPDATE opportunities SET notes = noise(100)",
    """UPDATE opportunities SET title = 'B', extra = '{"a": 1.0}'""",
    "UPDATE opportunities SET phase = 'won'",
    """UPDATE opportunities SET extra = '{"a": 1.00}'""",
    "UPDATE opportunities SET board_id = 'b2'",
    "UPDATE opportunities SET title = 'C', phase = 'lost'",
    "UPDATE opportunities SET notes = 'short'",
    "UPDATE opportunities SET title = 'D'",
    "UPDATE opportunities SET notes = noise(100)",
    "UPDATE opportunities SET extra = NULL",
    "UPDATE opportunities SET title = 'E'",
)


async def test_readers_get_whole_rows_and_the_changed_columns(db: Connection, conn: Plain, database: Database) -> None:
    await db.execute("ALTER TABLE opportunities ADD COLUMN extra jsonb")
    start = await seen(conn)
    history = [await current(db)]
    for statement in WRITES:
        await db.execute(statement)
        history.append(await current(db))
    found = await rows(db, "SELECT data FROM opportunity_versions WHERE opportunity_id = 'o1' ORDER BY version_number")
    assert [row["data"] for row in found[1:]] == history[1:]
    assert fold((await delivered_log(database, "opportunities"))[1:], {"o1": history[0]}) == {"o1": history[-1]}
    log = await rows(db, "SELECT title, changes FROM feed.history('o1')")
    assert [row["title"] for row in log] == ["A deal", "A deal", "B", "B", "B", "B", "B", "C", "C", "D", "D", "D", "E"]
    assert log[3]["changes"] == "phase: new -> won"
    changes = await changes_since(conn, start)
    moves = [(each.from_phase, each.to_phase) for each in changes if each.op == "update"]
    assert [move for move in moves if move[0] != move[1]] == [("new", "won"), ("won", "lost")]
    assert [set(json.loads(each.body or "{}")) - ALWAYS for each in changes] == [
        *({"notes"}, {"title", "extra"}, {"phase"}, {"extra"}, set()),
        set(history[5]) - ALWAYS,
        *({"title", "phase"}, {"notes"}, {"title"}, {"notes"}, {"extra"}, {"title"}),
    ]
    assert json.loads(changes[-7].body or "{}") == history[5]
    assert await find_drift(conn) == []


@pytest.mark.parametrize("first", range(len(WRITES)))
async def test_a_client_that_catches_up_gets_the_newest_values(db: Connection, conn: Plain, first: int) -> None:
    """It gets one event for each row and board, which has the columns that differ, or the whole row if it is new to the client."""
    await db.execute("ALTER TABLE opportunities ADD COLUMN extra jsonb")
    for statement in WRITES[:first]:
        await db.execute(statement)
    held, start = await current(db), await seen(conn)
    for statement in WRITES[first:]:
        await db.execute(statement)
    changes = await changes_since(conn, start, collapsed=True)
    assert (changes[-1].op, len(changes)) == (("enter", 2) if first <= 4 else ("update", 1))
    body = json.loads(changes[-1].body or "{}")
    now = await current(db)
    assert body == now if first <= 4 else held | body == now
    assert body.items() <= now.items()


async def test_a_version_is_a_few_steps_from_a_whole_row(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE t (id int PRIMARY KEY, n int, notes text)")
    await db.execute("SELECT feed.attach('t')")
    start = await newest_seq(db)
    await db.execute("INSERT INTO t VALUES (1, 0, noise(100))")
    async with db.transaction():
        for n in range(1, 251):
            await db.execute("UPDATE t SET n = %s", (n,))
    deltas = [row["delta"] for row in await log_rows(db, start)]
    assert deltas == [None, *range(1, 101), 0, *range(1, 101), 0, *range(1, 49)]
    images = await rows(db, "SELECT new FROM feed.trigger_log WHERE seq > %s ORDER BY seq", (start,))
    assert [row["new"]["n"] for row in images] == list(range(251))
    assert len({row["new"]["notes"] for row in images}) == 1
    assert await find_drift(conn, "t") == []


@pytest.mark.parametrize(
    "unlogged",
    [
        "UPDATE t SET notes = repeat('unlogged', 1000)",
        "UPDATE t SET small = 'unlogged'",
        "DELETE FROM t; INSERT INTO t VALUES (1, 9, 'another', repeat('row', 1000))",
    ],
)
async def test_the_change_after_an_unlogged_one_has_the_whole_row(db: Connection, conn: Plain, unlogged: str) -> None:
    await db.execute("CREATE TABLE t (id int PRIMARY KEY, n int, small text, notes text)")
    await db.execute("SELECT feed.attach('t')")
    await db.execute("INSERT INTO t VALUES (1, 0, 'a', noise(100))")
    await db.execute("UPDATE t SET n = 1")
    async with bypass_triggers(db):
        for statement in unlogged.split(";"):
            await db.execute(statement.encode())
    assert [finding.what for finding in await find_drift(conn, "t")] == ["changed"]
    start = await newest_seq(db)
    await db.execute("UPDATE t SET n = 20")
    await db.execute("UPDATE t SET n = 21")
    assert [row["delta"] for row in await log_rows(db, start)] == [0, 1]
    (newest,) = await rows(db, "SELECT new FROM feed.trigger_log ORDER BY seq DESC LIMIT 1")
    (stored,) = await rows(db, "SELECT to_jsonb(t.*) AS new FROM t")
    assert newest == stored
    assert [finding.what for finding in await find_drift(conn, "t")] == ["hole"]


async def test_each_partition_has_the_whole_row(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE t (id int PRIMARY KEY, n int, notes text)")
    await db.execute("SELECT feed.attach('t')")
    await db.execute("INSERT INTO t VALUES (1, 0, noise(100))")
    await db.execute("UPDATE t SET n = 1")
    await db.execute("SELECT feed.rotate_partition()")
    await db.execute("SELECT feed.make_partition(3)")
    start = await newest_seq(db)
    await db.execute("UPDATE t SET n = 2")
    await db.execute("UPDATE t SET n = 3")
    assert [(row["partition_number"], row["delta"]) for row in await log_rows(db, start)] == [(2, 0), (2, 1)]
    await db.execute("DROP TABLE feed.log_1")
    images = await rows(db, "SELECT new FROM feed.trigger_log WHERE seq > %s ORDER BY seq", (start,))
    stored = await value(db, "SELECT notes FROM t")
    assert [row["new"] for row in images] == [{"id": 1, "n": n, "notes": stored} for n in (2, 3)]
    assert [finding.what for finding in await find_drift(conn, "t")] == ["hole"], "it was not pruned"


async def test_nested_changes_of_a_large_row(db: Connection, conn: Plain, database: Database) -> None:
    await db.execute(
        b"""
        CREATE TABLE t (id int PRIMARY KEY, n int, twice int, notes text);
        CREATE FUNCTION double() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
            UPDATE t SET twice = n * 2 WHERE id = NEW.id AND twice IS DISTINCT FROM n * 2; RETURN NULL; END$$;
        CREATE TRIGGER double AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION double();
        SELECT feed.attach('t');
        """
    )
    await db.execute("INSERT INTO t SELECT i, i, 0, noise(100) FROM generate_series(1, 3) AS i")
    for _ in range(3):
        await db.execute("UPDATE t SET n = n + 1")
        await db.execute("UPDATE t SET n = n + 1 WHERE id = 2")
    found = await rows(db, "SELECT id::text AS key, to_jsonb(t.*) AS row FROM t")
    assert fold(await delivered_log(database, "t")) == {row["key"]: row["row"] for row in found}
    assert await find_drift(conn, "t") == []


async def test_a_large_row_that_a_trigger_puts_back(db: Connection, conn: Plain) -> None:
    """The change of the statement is logged after that of its trigger, and sorted before it."""
    await db.execute("CREATE TABLE t (id int PRIMARY KEY, n int, notes text)")
    await db.execute("INSERT INTO t VALUES (1, 0, noise(100))")
    await db.execute(
        b"""
        CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
            UPDATE t SET n = 0 WHERE id = NEW.id AND n > 0; RETURN NULL; END$$;
        CREATE TRIGGER put_back AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION put_back();
        SELECT feed.attach('t');
        """
    )
    start = await newest_seq(db)
    for n in (1, 2):
        await db.execute("UPDATE t SET n = %s", (n,))
    images = await rows(db, "SELECT old, new FROM feed.trigger_log WHERE seq > %s ORDER BY seq", (start,))
    notes = await value(db, "SELECT notes FROM t")
    states = [{"id": 1, "n": n, "notes": notes} for n in (0, 1, 0, 2, 0)]
    assert images == [{"old": old, "new": new} for old, new in pairwise(states)]
    assert await find_drift(conn, "t") == []


async def test_a_repair_of_a_large_row_logs_the_whole_row(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE t (id int PRIMARY KEY, n int, notes text)")
    await db.execute("SELECT feed.attach('t')")
    await db.execute("INSERT INTO t VALUES (1, 0, noise(100))")
    await db.execute("UPDATE t SET n = 1")
    before = await value(db, "SELECT new FROM feed.trigger_log ORDER BY seq DESC LIMIT 1")
    async with bypass_triggers(db):
        await db.execute("UPDATE t SET n = 2")
    await db.execute("SELECT feed.repair('t', '{1}')")
    (repaired,) = await rows(db, "SELECT old, new, delta FROM feed.log ORDER BY seq DESC LIMIT 1")
    assert repaired == {"old": before, "new": before | {"n": 2}, "delta": None}
    assert await find_drift(conn, "t") == []


async def current(db: Connection) -> dict[str, Any]:
    (row,) = await rows(db, "SELECT to_jsonb(o.*) AS image FROM opportunities AS o")
    image: dict[str, Any] = row["image"]
    return image


async def seen(conn: Plain) -> Seen:
    return Cursor.at("feed", await read_position(conn)).seen


async def changes_since(conn: Plain, since: Seen, *, collapsed: bool = False) -> list[Change]:
    reading = read_changes(conn, since, collapsed=collapsed, threshold=10**6, chunk=1000)
    return [change async for part in reading for change in part.changes]
