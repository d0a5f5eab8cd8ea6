"""feed.attach attaches any table to the feed."""

from typing import LiteralString

import pytest
from psycopg import errors

from tests.db.support import Connection, log_rows, logged_changes, newest_seq, rows

TRIGGERS = """
    SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal ORDER BY tgname
"""


async def test_a_table_in_another_schema(db: Connection) -> None:
    await db.execute("CREATE SCHEMA other")
    await db.execute("CREATE TABLE other.tasks (id int PRIMARY KEY, board_id text, done boolean DEFAULT false)")
    await db.execute("SELECT feed.attach('other.tasks', board => 'board_id')")
    before = await newest_seq(db)
    await db.execute("INSERT INTO other.tasks VALUES (1, 'b1')")
    await db.execute("UPDATE other.tasks SET done = true")
    await db.execute("UPDATE other.tasks SET done = true")
    found = await log_rows(db, before)
    assert [(row["relation"], row["op"], row["key"], row["board"], row["version"]) for row in found] == [
        ("other.tasks", "insert", "1", "b1", None),
        ("other.tasks", "update", "1", "b1", None),
    ]


async def test_names_that_need_quotes(db: Connection) -> None:
    await db.execute(
        """CREATE TABLE "My Tasks" ("Task Id" int, "it's" text, "Board" text, PRIMARY KEY ("Task Id", "it's"))"""
    )
    await db.execute("""SELECT feed.attach('"My Tasks"', board => 'Board')""")
    before = await newest_seq(db)
    await db.execute("""INSERT INTO "My Tasks" VALUES (1, 'a"b', 'b1')""")
    await db.execute("""UPDATE "My Tasks" SET "Board" = 'b2'""")
    await db.execute("""DELETE FROM "My Tasks" """)
    assert await logged_changes(db, before) == [
        ("insert", '[1, "a\\"b"]', "b1"),
        ("leave", '[1, "a\\"b"]', "b1"),
        ("enter", '[1, "a\\"b"]', "b2"),
        ("delete", '[1, "a\\"b"]', "b2"),
    ]
    await db.execute("""INSERT INTO "My Tasks" VALUES (1, 'x')""")
    before = await newest_seq(db)
    await db.execute("""UPDATE "My Tasks" SET "it's" = 'y'""")
    assert sorted(await logged_changes(db, before)) == [("delete", '[1, "x"]', None), ("insert", '[1, "y"]', None)]


async def test_a_composite_key_is_in_the_order_of_the_key(db: Connection) -> None:
    await db.execute("CREATE TABLE t (a int, b int, c int, PRIMARY KEY (c, a))")
    await db.execute("SELECT feed.attach('t')")
    before = await newest_seq(db)
    await db.execute("INSERT INTO t VALUES (1, 2, 3)")
    await db.execute("SELECT feed.attach('t', key => ' a , c ')")
    await db.execute("UPDATE t SET b = 5")
    assert await logged_changes(db, before) == [
        ("insert", "[3, 1]", None),
        ("reload", None, None),
        ("update", "[1, 3]", None),
    ]


async def test_attaching_twice_changes_nothing(db: Connection) -> None:
    before = await rows(db, TRIGGERS, ("opportunities",))
    await db.execute("SELECT feed.attach('opportunities', key => 'id', board => 'board_id')")
    assert await rows(db, TRIGGERS, ("opportunities",)) == before


async def test_a_detached_table_is_not_logged_and_keeps_its_log_rows(db: Connection) -> None:
    await db.execute("SELECT feed.detach('opportunities')")
    assert await rows(db, TRIGGERS, ("opportunities",)) == [{"tgname": "zz_feed_version"}]
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    assert await log_rows(db, before) == []
    assert await logged_changes(db) != []


async def test_a_partitioned_table(db: Connection) -> None:
    await db.execute("CREATE TABLE p (id int PRIMARY KEY, board_id text) PARTITION BY RANGE (id)")
    await db.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)")
    await db.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)")
    await db.execute("SELECT feed.attach('p', board => 'board_id')")
    before = await newest_seq(db)
    await db.execute("INSERT INTO p VALUES (1, 'b1'), (11, 'b1')")
    await db.execute("UPDATE p SET board_id = 'b2' WHERE id = 11")
    assert [(row["relation"], row["op"], row["key"]) for row in await log_rows(db, before)] == [
        ("p", "insert", "1"),
        ("p", "insert", "11"),
        ("p", "leave", "11"),
        ("p", "enter", "11"),
    ]


async def test_a_failed_attach_keeps_the_table_attached(db: Connection) -> None:
    with pytest.raises(errors.UndefinedColumn):
        await db.execute("SELECT feed.attach('opportunities', board => 'nowhere')")
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    assert await logged_changes(db, before) == [("update", "o1", "b1")]


async def test_any_unique_key_can_be_given(db: Connection) -> None:
    await db.execute("CREATE TABLE t (a int NOT NULL, b text NOT NULL, c int, UNIQUE (b, a) INCLUDE (c))")
    await db.execute("SELECT feed.attach('t', key => 'a,b')")
    before = await newest_seq(db)
    await db.execute("INSERT INTO t VALUES (1, 'x')")
    assert await logged_changes(db, before) == [("insert", '[1, "x"]', None)]


async def test_a_primary_key_with_included_columns(db: Connection) -> None:
    await db.execute("CREATE TABLE t (a int, b text, PRIMARY KEY (a) INCLUDE (b))")
    await db.execute("SELECT feed.attach('t')")
    before = await newest_seq(db)
    await db.execute("INSERT INTO t VALUES (1, 'x')")
    await db.execute("UPDATE t SET b = 'y'")
    assert await logged_changes(db, before) == [("insert", "1", None), ("update", "1", None)]


async def test_columns_may_have_the_names_of_the_triggers_variables(db: Connection) -> None:
    names = [
        "o",
        "n",
        "r",
        "data",
        "key",
        "op",
        "board",
        "old",
        "new",
        "before",
        "after",
        "touched",
        "old_row",
        "new_row",
        "old_rows",
        "new_rows",
        "written",
        "step",
    ]
    columns = ", ".join(f'"{name}" int DEFAULT 0' for name in names)
    await db.execute(f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    await db.execute("SELECT feed.attach('t', board => 'board')")
    before = await newest_seq(db)
    await db.execute("INSERT INTO t (id) VALUES (1), (2)")
    await db.execute("UPDATE t SET o = 1 WHERE id = 1")
    await db.execute("UPDATE t SET n = 1, board = 1")
    await db.execute("DELETE FROM t WHERE id = 1")
    found = await log_rows(db, before)
    assert [(row["op"], row["key"]) for row in found[:3]] == [("insert", "1"), ("insert", "2"), ("update", "1")]
    assert sorted((row["op"], row["key"], row["board"]) for row in found[3:-1]) == [
        ("enter", "1", "1"),
        ("enter", "2", "1"),
        ("leave", "1", "0"),
        ("leave", "2", "0"),
    ]
    assert (found[-1]["op"], found[-1]["old"]) == (
        "delete",
        {"id": 1, **dict.fromkeys(names, 0), "o": 1, "n": 1, "board": 1},
    )


async def test_single_row_and_multi_row_updates_are_logged_alike(db: Connection) -> None:
    """An UPDATE of one row takes a faster path; the result must be the same."""
    await db.execute(
        "CREATE TABLE t (id int PRIMARY KEY, board_id text, version_number int, last_modified_by text, x int)"
    )
    await db.execute("SELECT feed.attach('t', board => 'board_id')")
    await db.execute("INSERT INTO t VALUES (1, 'b1', 1, 'ana', 1), (2, 'b1', 1, 'ana', 1)")
    changes: tuple[LiteralString, ...] = (
        "UPDATE t SET x = 2",
        "UPDATE t SET x = 2",
        "UPDATE t SET board_id = 'b2', last_modified_by = NULL",
        "UPDATE t SET board_id = NULL, version_number = 7",
        "UPDATE t SET board_id = 'b1', x = NULL",
    )
    for change in changes:
        before = await newest_seq(db)
        async with db.transaction(force_rollback=True):
            await db.execute(change)
            many = [row for row in await log_rows(db, before) if row["key"] == "1"]
        before = await newest_seq(db)
        await db.execute(f"{change} WHERE id = 1")
        one = await log_rows(db, before)
        per_row = {"seq", "xid", "at"}
        assert [{k: v for k, v in row.items() if k not in per_row} for row in one] == [
            {k: v for k, v in row.items() if k not in per_row} for row in many
        ], change
        await db.execute(f"{change} WHERE id = 2")
