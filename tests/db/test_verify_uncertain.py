# ruff: noqa: S608 - statements of this file
"""Rows that are older than the log: what does not have to be logged is no fault, and what certainly had to be is one."""

from typing import LiteralString, NamedTuple

import pytest

from db import migrate
from db.changelog import verify
from tests.db.support import Connection, logged_changes, newest_seq, rows, value
from tests.db.verifying import Plain, bypass_triggers, fed_table, find_drift
from tests.support.database import Database

pytestmark = pytest.mark.any_version

OLDER: tuple[LiteralString, ...] = (
    "CREATE TABLE things (id integer PRIMARY KEY, name text, n numeric, secret text)",
    "INSERT INTO things SELECT i, 'Thing', i, 'x' FROM generate_series(1, 5) AS i",
    "SELECT feed.attach('things', exclude => '{secret}')",
)


class Write(NamedTuple):
    statement: LiteralString
    keys: list[str]
    """Of the rows that PostgreSQL has written again."""


ALL = ["1", "2", "3", "4", "5"]
UNLOGGED_WRITES = {
    "no change": Write("UPDATE things SET name = name WHERE id = 3", ["3"]),
    "no change, in a savepoint": Write(
        "DO $$ BEGIN UPDATE things SET name = name WHERE id = 3; EXCEPTION WHEN others THEN NULL; END $$", ["3"]
    ),
    "excluded columns": Write("UPDATE things SET secret = 'y' WHERE id = 3", ["3"]),
    "an upsert without a change": Write(
        "INSERT INTO things VALUES (3, 'Thing', 3, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name", ["3"]
    ),
    "some changed, some not": Write(
        "UPDATE things SET name = CASE id WHEN 3 THEN 'Other' ELSE name END", ["1", "2", "4", "5"]
    ),
    "a row lock": Write("SELECT FROM things FOR UPDATE", []),
    "a shared row lock": Write("SELECT FROM things FOR KEY SHARE", []),
    "a reference": Write("CREATE TABLE parts (thing integer REFERENCES things); INSERT INTO parts VALUES (3)", []),
    "an update that is rolled back": Write("BEGIN; UPDATE things SET name = 'Other'; ROLLBACK", []),
    "a deletion that is rolled back": Write("BEGIN; DELETE FROM things; ROLLBACK", []),
    "VACUUM FREEZE": Write("VACUUM FREEZE things", []),
    "VACUUM FULL": Write("VACUUM FULL things", []),
    "CLUSTER": Write("CLUSTER things USING things_pkey", []),
    "a column with a constant default": Write("ALTER TABLE things ADD COLUMN x integer DEFAULT 1", []),
    "a column with a volatile default": Write("ALTER TABLE things ADD COLUMN x float DEFAULT random()", ALL),
    "a generated column": Write("ALTER TABLE things ADD COLUMN x integer GENERATED ALWAYS AS (2 * id) STORED", ALL),
    "another type": Write("ALTER TABLE things ALTER COLUMN n TYPE integer", ALL),
    "another tablespace": Write("ALTER TABLE things SET TABLESPACE pg_default", []),
    "a change and back": Write("ALTER TABLE things SET UNLOGGED; ALTER TABLE things SET LOGGED", ALL),
}


async def set_up(db: Connection, statements: tuple[LiteralString, ...] = OLDER) -> None:
    for statement in statements:
        await db.execute(statement)


async def found(conn: Plain, name: str = "things") -> list[tuple[str, str]]:
    return [(one.what, one.key) for one in await find_drift(conn, name)]


@pytest.mark.parametrize("write", UNLOGGED_WRITES.values(), ids=UNLOGGED_WRITES.keys())
async def test_a_write_that_is_rightly_not_logged_is_no_fault(db: Connection, conn: Plain, write: Write) -> None:
    await set_up(db)
    for statement in (write.statement,) if "$$" in write.statement else write.statement.split("; "):
        await db.execute(statement.encode())
    assert await found(conn) == [("uncertain", key) for key in write.keys]
    # In the log, nothing of this matters.
    await db.execute("UPDATE things SET name = 'Logged'")
    assert await found(conn) == []
    for statement in (write.statement,) if "$$" in write.statement else write.statement.split("; "):
        if not statement.startswith(("ALTER", "CREATE")):
            await db.execute(statement.encode())
    assert await found(conn) == []


@pytest.mark.parametrize("name", ["changed", "inserted"])
async def test_a_write_without_triggers_of_which_nothing_tells_is_uncertain(
    db: Connection, conn: Plain, name: str
) -> None:
    await set_up(db)
    async with bypass_triggers(db):
        await db.execute(
            "INSERT INTO things VALUES (-1, 'New')"
            if name == "inserted"
            else "UPDATE things SET name = 'Past' WHERE id = 3"
        )
    key = "-1" if name == "inserted" else "3"
    assert await found(conn) == [("uncertain", key)]
    before = await newest_seq(db)
    assert await verify.repair(conn, await fed_table(conn, "things"), [key]) == 1
    # Clients may hold the row as it was.
    assert await logged_changes(db, before) == [("insert", key, None), ("reload", None, None)]
    assert await found(conn) == []
    async with bypass_triggers(db):
        await db.execute("UPDATE things SET name = 'Past again'")
    assert ("changed", key) in await found(conn)


COMPLETE: dict[str, tuple[LiteralString, ...]] = {
    "empty when it was attached": (
        "CREATE TABLE things (id integer PRIMARY KEY, name text)",
        "SELECT feed.attach('things')",
    ),
    "emptied since": (*OLDER, "TRUNCATE things"),
    "emptied since, then pruned": (
        *OLDER,
        "INSERT INTO things VALUES (8)",
        "SELECT feed.rotate_partition()",
        "SELECT feed.maintain()",
        "TRUNCATE things",
        "INSERT INTO things VALUES (7)",
        "SELECT feed.prune(clock_timestamp() - interval '0 s')",
    ),
}


@pytest.mark.parametrize("name", COMPLETE)
async def test_each_row_of_a_table_that_had_none_must_be_in_the_log(db: Connection, conn: Plain, name: str) -> None:
    await set_up(db, COMPLETE[name])
    assert await found(conn) == []
    async with bypass_triggers(db):
        await db.execute("INSERT INTO things VALUES (9, 'New')")
    assert await found(conn) == [("unlogged", "9")]
    await db.execute("UPDATE things SET name = name")
    assert await found(conn) == [("unlogged", "9")]
    before = await newest_seq(db)
    await verify.repair(conn, await fed_table(conn, "things"), ["9"])
    assert await logged_changes(db, before) == [("insert", "9", None)]


@pytest.mark.parametrize(
    ("key", "old", "logged", "new"),
    [
        ("smallint", "0", "1", "2"),
        ("bigint", "-9", "-8", "7000000000"),
        ("uuid", *(f"'01{n}f3b5c-0000-7000-8000-000000000000'" for n in (4, 5, 6))),
    ],
)
async def test_a_row_with_a_larger_key_than_all_older_ones_must_be_in_the_log(
    db: Connection, conn: Plain, key: str, old: str, logged: str, new: str
) -> None:
    await db.execute(f"CREATE TABLE things (id {key} PRIMARY KEY, name text)".encode())
    await db.execute(f"INSERT INTO things VALUES ({old})".encode())
    await db.execute("SELECT feed.attach('things')")
    await db.execute(f"INSERT INTO things VALUES ({logged})".encode())
    for statement in (
        "SELECT feed.rotate_partition()",
        "SELECT feed.maintain()",
        "UPDATE opportunities SET title = 'Kept'",
    ):
        await db.execute(statement.encode())
    assert await value(db, "SELECT (feed.prune(clock_timestamp() - interval '0 s')).forgotten")
    await db.execute("UPDATE things SET name = name")
    assert {kind for kind, _ in await found(conn)} == {"uncertain"}
    async with bypass_triggers(db):
        await db.execute(f"INSERT INTO things VALUES ({new})".encode())
    assert [kind for kind, _ in await found(conn)] == ["uncertain", "uncertain", "unlogged"]
    await db.execute("ALTER TABLE things ALTER id TYPE text")
    assert {kind for kind, _ in await found(conn)} == {"uncertain"}


async def test_rows_that_a_partition_brought_are_found_however_old_they_are(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things_1 (id integer PRIMARY KEY, name text)")
    await db.execute("INSERT INTO things_1 VALUES (1, 'Old')")
    await db.execute("CREATE TABLE things (id integer PRIMARY KEY, name text) PARTITION BY RANGE (id)")
    await db.execute("SELECT feed.attach('things')")
    await db.execute("ALTER TABLE things ATTACH PARTITION things_1 FOR VALUES FROM (1) TO (10)")
    assert await found(conn) == [("unlogged", "1")]


async def test_a_version_that_no_older_row_has_tells_of_a_missed_change(
    empty_database: Database,
) -> None:
    async with await empty_database.connect() as db:
        await db.execute("CREATE TABLE opportunities (id integer PRIMARY KEY, title text)")
        await db.execute("INSERT INTO opportunities SELECT i, 'Old' FROM generate_series(1, 3) AS i")
        await _migrate(empty_database)
        statement: LiteralString = """
            SELECT finding, v.key FROM feed.attached AS a CROSS JOIN LATERAL feed.verify_rows(a.relation, a.xid) AS v
            WHERE a.relation = 'opportunities'::regclass AND finding IS NOT NULL"""
        await db.execute("UPDATE opportunities SET title = title WHERE id = 1")
        await db.execute("SELECT * FROM feed.set_capture(false)")
        await db.execute("UPDATE opportunities SET title = 'Missed' WHERE id = 2")
        await db.execute("SELECT * FROM feed.set_capture(true)")
        assert [tuple(row.values()) for row in await rows(db, statement)] == [("uncertain", "1"), ("unlogged", "2")]
        # The column is added again with a version that is greater than all before.
        await db.execute("ALTER TABLE opportunities DROP COLUMN version_number")
        await _migrate(empty_database)
        assert {row["finding"] for row in await rows(db, statement)} <= {"uncertain"}


async def _migrate(database: Database) -> None:
    migrate.upgrade(database.url)
    migrate.mend(database.url)


async def test_rows_whose_history_was_pruned_are_uncertain_after_an_update_without_a_change(
    db: Connection, conn: Plain
) -> None:
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1'), ('y', 'b1')")
    await db.execute("SELECT feed.rotate_partition()")
    await db.execute("SELECT feed.maintain()")
    await db.execute("UPDATE opportunities SET title = 'Kept' WHERE id = 'o1'")
    await value(db, "SELECT (feed.prune(clock_timestamp() - interval '0 s')).forgotten")
    await db.execute("UPDATE opportunities SET title = title WHERE id = 'x'")
    assert await found(conn, "opportunities") == [("uncertain", "x")]


async def test_a_row_is_judged_alike_within_a_transaction(db: Connection, conn: Plain) -> None:
    """age() counts from where the transaction IDs stood when the transaction first called it."""
    await set_up(db)
    async with conn.transaction():
        assert await found(conn) == []
        async with bypass_triggers(db):
            await db.execute("UPDATE things SET name = 'Past' WHERE id = 3")
        assert await found(conn) == [("uncertain", "3")]


async def test_integer_keys_are_compared_as_numbers(db: Connection, conn: Plain) -> None:
    await db.execute("CREATE TABLE things (id bigint PRIMARY KEY, name text)")
    await db.execute("INSERT INTO things VALUES (-5, 'a'), (9, 'b'), (10, 'c'), (1000, 'd')")
    await db.execute("SELECT feed.attach('things')")
    await db.execute("UPDATE things SET name = name")
    assert sorted(await found(conn)) == [("uncertain", key) for key in ("-5", "10", "1000", "9")]
    async with bypass_triggers(db):
        await db.execute("INSERT INTO things VALUES (1001, 'e')")
    assert ("unlogged", "1001") in await found(conn)
