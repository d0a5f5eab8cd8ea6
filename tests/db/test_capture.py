"""Every kind of write logs one row for each changed row, in the writer's own transaction."""

import asyncio
from typing import Any, LiteralString

import pytest
from psycopg import AsyncConnection, errors

from tests.db.support import Connection, log_rows, logged_changes, newest_seq, rows, value
from tests.support.database import Database

# The log rows that each statement writes, on a table with o1 (b1) and o2 (b1).
WRITES: dict[str, tuple[LiteralString, list[tuple[str, str | None, str | None]]]] = {
    "insert": ("INSERT INTO opportunities (id, board_id) VALUES ('o3', 'b1')", [("insert", "o3", "b1")]),
    "insert of several": (
        "INSERT INTO opportunities (id, board_id) VALUES ('o3', 'b1'), ('o4', 'b2')",
        [("insert", "o3", "b1"), ("insert", "o4", "b2")],
    ),
    "insert … select of nothing": ("INSERT INTO opportunities (id) SELECT id FROM opportunities WHERE false", []),
    "on conflict do update": (
        (
            "INSERT INTO opportunities (id, board_id, title) VALUES ('o1', 'b1', 'B'), ('o3', 'b1', 'C') "
            "ON CONFLICT (id) DO UPDATE SET title = excluded.title"
        ),
        [("insert", "o3", "b1"), ("update", "o1", "b1")],
    ),
    "on conflict do nothing": (
        "INSERT INTO opportunities (id, board_id) VALUES ('o1', 'b1') ON CONFLICT DO NOTHING",
        [],
    ),
    "merge": (
        (
            "MERGE INTO opportunities AS o USING (VALUES ('o1', 'B'), ('o2', NULL), ('o3', 'C')) AS s(id, title) "
            "ON o.id = s.id WHEN MATCHED AND s.title IS NULL THEN DELETE "
            "WHEN MATCHED THEN UPDATE SET title = s.title "
            "WHEN NOT MATCHED THEN INSERT (id, board_id, title) VALUES (s.id, 'b1', s.title)"
        ),
        [("delete", "o2", "b1"), ("insert", "o3", "b1"), ("update", "o1", "b1")],
    ),
    "update … from": (
        (
            "UPDATE opportunities SET title = n.title FROM (VALUES ('o1', 'B'), ('o9', 'C')) AS n(id, title) "
            "WHERE opportunities.id = n.id"
        ),
        [("update", "o1", "b1")],
    ),
    "update of all": ("UPDATE opportunities SET notes = 'x'", [("update", "o1", "b1"), ("update", "o2", "b1")]),
    "update of none": ("UPDATE opportunities SET notes = 'x' WHERE false", []),
    "update of two that changes one": (
        "UPDATE opportunities SET title = 'A deal'",
        [("update", "o2", "b1")],
    ),
    "board changed": (
        "UPDATE opportunities SET board_id = 'b2' WHERE id = 'o1'",
        [("leave", "o1", "b1"), ("enter", "o1", "b2")],
    ),
    "board changed for several": (
        "UPDATE opportunities SET board_id = 'b2'",
        [("enter", "o1", "b2"), ("enter", "o2", "b2"), ("leave", "o1", "b1"), ("leave", "o2", "b1")],
    ),
    "delete": ("DELETE FROM opportunities WHERE id = 'o1'", [("delete", "o1", "b1")]),
    "cascade": (
        "DELETE FROM feed.boards WHERE id = 'b1'",
        [("delete", "b1", "b1"), ("delete", "o1", "b1"), ("delete", "o2", "b1")],
    ),
    "truncate": ("TRUNCATE opportunities", [("truncate", None, None)]),
    "written by a CTE": (
        (
            "WITH gone AS (DELETE FROM opportunities WHERE id = 'o2' RETURNING *) "
            "INSERT INTO opportunities (id, board_id) SELECT id || 'b', board_id FROM gone"
        ),
        [("delete", "o2", "b1"), ("insert", "o2b", "b1")],
    ),
    "a member": (
        "INSERT INTO feed.board_members VALUES ('b1', 'ana', 'viewer')",
        [("insert", '["b1", "ana"]', "b1")],
    ),
}


@pytest.fixture
async def two(db: Connection) -> Connection:
    await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o2', 'b1', 'Another')")
    return db


@pytest.mark.parametrize("name", WRITES)
async def test_each_kind_of_write_is_logged(two: Connection, name: str) -> None:
    statement, expected = WRITES[name]
    before = await newest_seq(two)
    await two.execute(statement)
    found = await logged_changes(two, before)
    # PostgreSQL chooses the order of independent rows and statements.
    assert sorted(found, key=str) == sorted(expected, key=str)
    if name == "board changed":
        assert found == expected


async def test_copy_is_logged(db: Connection) -> None:
    before = await newest_seq(db)
    async with db.cursor() as cursor, cursor.copy("COPY opportunities (id, board_id) FROM STDIN") as copy:
        for n in range(3):
            await copy.write_row((f"c{n}", "b1"))
    assert await logged_changes(db, before) == [("insert", f"c{n}", "b1") for n in range(3)]
    assert len({row["xid"] for row in await log_rows(db, before)}) == 1


async def test_the_images_equal_the_row(db: Connection) -> None:
    before = await newest_seq(db)
    old = await value(db, "SELECT to_jsonb(o) FROM opportunities AS o")
    await db.execute("UPDATE opportunities SET value = 12.30, expected_close_date = '2030-01-31'")
    now = await value(db, "SELECT to_jsonb(o) FROM opportunities AS o")
    (row,) = await log_rows(db, before)
    assert (row["old"], row["new"], row["relation"], row["version"]) == (old, now, "opportunities", 2)
    assert await value(db, "SELECT new ->> 'value' FROM feed.log ORDER BY seq DESC LIMIT 1") == "12.30"


async def test_images_do_not_depend_on_session_settings(db: Connection) -> None:
    await db.execute(
        "ALTER TABLE opportunities ADD COLUMN due timestamptz, ADD COLUMN during interval, ADD COLUMN f float8"
    )
    before = await newest_seq(db)
    await db.execute("SET timezone = 'America/Sao_Paulo'")
    await db.execute(
        "UPDATE opportunities SET due = '2030-01-31 12:00:00+00', during = '1 day 2 hours', f = 0.1::float8 * 3"
    )
    (row,) = await log_rows(db, before)
    assert row["new"]["due"] == "2030-01-31T12:00:00+00:00"
    assert await value(db, "SELECT current_setting('timezone')") == "America/Sao_Paulo"


async def test_a_row_of_a_megabyte(db: Connection) -> None:
    before = await newest_seq(db)
    notes = "ação " * 200_000
    await db.execute("UPDATE opportunities SET notes = %s", (notes,))
    (row,) = await log_rows(db, before)
    assert row["new"]["notes"] == notes


async def test_rolling_back_to_a_savepoint_removes_its_log_rows(db: Connection) -> None:
    before = await newest_seq(db)
    async with db.transaction():
        await db.execute("UPDATE opportunities SET title = 'kept'")
        await db.execute("SAVEPOINT s")
        await db.execute("UPDATE opportunities SET title = 'dropped'")
        await db.execute("ROLLBACK TO s")
        await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('o3', 'b1')")
    assert [(row["key"], row["new"]["title"]) for row in await log_rows(db, before)] == [("o1", "kept"), ("o3", "")]


async def test_a_rollback_leaves_no_log_rows(db: Connection) -> None:
    before = await newest_seq(db)
    async with db.transaction(force_rollback=True):
        await db.execute("UPDATE opportunities SET title = 'never'")
    assert await log_rows(db, before) == []


async def test_all_rows_of_a_transaction_have_its_xid(db: Connection) -> None:
    before = await newest_seq(db)
    async with db.transaction():
        xid = await value(db, "SELECT pg_current_xact_id()::text::bigint")
        await db.execute("UPDATE opportunities SET title = 'B'")
        async with db.transaction():
            await db.execute("UPDATE opportunities SET title = 'C'")
    assert [row["xid"] for row in await log_rows(db, before)] == [xid, xid]


async def test_a_write_fails_if_it_cannot_be_logged(db: Connection) -> None:
    await db.execute("ALTER TABLE feed.log ADD CONSTRAINT no_more CHECK (seq < 0) NOT VALID")
    with pytest.raises(errors.CheckViolation):
        await db.execute("UPDATE opportunities SET title = 'unlogged'")
    assert await value(db, "SELECT title FROM opportunities") == "A deal"


@pytest.fixture
async def listener(database: Database) -> AsyncConnection[Any]:
    conn = await database.connect()
    await conn.execute("LISTEN boardcast")
    return conn


async def count_notifications(listener: AsyncConnection[Any], db: Connection) -> int:
    """Count the notifications sent so far; a last one of our own marks the end."""
    await db.execute("NOTIFY boardcast, 'end'")
    count = 0
    async with asyncio.timeout(10):
        async for notification in listener.notifies():
            if notification.payload == "end":
                break
            count += 1
    return count


async def test_a_transaction_notifies_once(db: Connection, listener: AsyncConnection[Any]) -> None:
    async with listener:
        async with db.transaction():
            for n in range(20):
                await db.execute("UPDATE opportunities SET probability = %s", (n,))
                await db.execute("INSERT INTO opportunities (id, board_id) VALUES (%s, 'b1')", (f"n{n}",))
        await db.execute("UPDATE opportunities SET title = title")
        await db.execute("DELETE FROM opportunities WHERE id = 'o1'")
        assert await count_notifications(listener, db) == 2


async def test_a_notification_rolled_back_with_a_savepoint_is_sent_again(
    db: Connection, listener: AsyncConnection[Any]
) -> None:
    async with listener:
        async with db.transaction():
            async with db.transaction(force_rollback=True):
                await db.execute("UPDATE opportunities SET title = 'dropped'")
            await db.execute("UPDATE opportunities SET title = 'kept'")
        assert await count_notifications(listener, db) == 1


@pytest.mark.parametrize(
    ("declared", "written", "actor"),
    [
        ("zoe", "ana", "zoe"),
        ("", "ana", "ana"),
        (None, "ana", "ana"),
        (None, None, "boardcast"),
    ],
)
async def test_the_actor_is_the_declared_user_or_the_last_editor(
    db: Connection, declared: str | None, written: str | None, actor: str
) -> None:
    before = await newest_seq(db)
    async with db.transaction():
        if declared is not None:
            await db.execute(
                "SELECT set_config('feed.actor', %s, true), set_config('feed.origin', 'm-1', true)", (declared,)
            )
        await db.execute("UPDATE opportunities SET last_modified_by = %s, notes = 'x'", (written,))
        await db.execute(
            "INSERT INTO opportunities (id, board_id, last_modified_by) VALUES ('o3', 'b1', %s)", (written,)
        )
    found = await log_rows(db, before)
    assert [row["actor"] for row in found] == [actor, actor]
    assert {row["origin"] for row in found} == {None if declared is None else "m-1"}
    assert {row["db_user"] for row in found} == {"boardcast"}


async def test_a_delete_is_not_attributed_to_the_last_editor(db: Connection) -> None:
    await db.execute("UPDATE opportunities SET last_modified_by = 'ana'")
    before = await newest_seq(db)
    await db.execute("DELETE FROM opportunities")
    assert [row["actor"] for row in await log_rows(db, before)] == ["boardcast"]


async def test_an_update_without_an_editor_is_not_attributed_to_the_last_one(db: Connection) -> None:
    before = await newest_seq(db)
    for statement in (
        "UPDATE opportunities SET notes = 'a', last_modified_by = 'ana' WHERE id = 'o1'",
        "UPDATE opportunities SET notes = 'b'",
        "UPDATE opportunities SET notes = 'c', last_modified_by = 'ana' WHERE id = 'o1'",
        "INSERT INTO opportunities (id, board_id) VALUES ('o1', 'b1') ON CONFLICT (id) DO UPDATE SET notes = 'd'",
        (
            "INSERT INTO opportunities (id, board_id) VALUES ('o1', 'b1') "
            "ON CONFLICT (id) DO UPDATE SET notes = 'e', last_modified_by = 'eva'"
        ),
    ):
        await db.execute(statement)
    actors = [(row["new"]["notes"], row["actor"]) for row in await log_rows(db, before) if row["key"] == "o1"]
    assert actors == [("a", "ana"), ("b", "boardcast"), ("c", "ana"), ("d", "boardcast"), ("e", "eva")]


async def test_a_declared_actor_applies_to_one_transaction(db: Connection) -> None:
    async with db.transaction():
        await db.execute("SELECT set_config('feed.actor', 'ana', true), set_config('feed.origin', 'm-1', true)")
        await db.execute("UPDATE opportunities SET title = 'B'")
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'C'")
    assert [(row["actor"], row["origin"]) for row in await log_rows(db, before)] == [("boardcast", None)]


@pytest.mark.parametrize(
    ("requested", "effective"), [("off", "local"), ("local", "local"), ("on", "on"), ("remote_apply", "remote_apply")]
)
async def test_captured_writes_are_flushed_before_the_commit_returns(
    db: Connection, requested: str, effective: str
) -> None:
    await db.execute("SELECT set_config('synchronous_commit', %s, false)", (requested,))
    async with db.transaction():
        await db.execute("UPDATE opportunities SET title = title")
        await db.execute("UPDATE opportunities SET title = 'B'")
        assert await value(db, "SELECT current_setting('synchronous_commit')") == effective
    assert await value(db, "SELECT current_setting('synchronous_commit')") == requested


async def test_capture_ignores_objects_of_the_same_name_on_the_search_path(db: Connection) -> None:
    before = await newest_seq(db)
    for schema in ("pg_temp", "mine"):
        if schema == "mine":
            await db.execute("CREATE SCHEMA mine")
            await db.execute("SET search_path = mine, pg_temp, public, pg_catalog")
            await db.execute(
                "CREATE FUNCTION mine.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS $$SELECT '{}'::jsonb$$"
            )
            await db.execute(
                "CREATE FUNCTION mine.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$SELECT 'eve'$$"
            )
            await db.execute("CREATE TABLE mine.log AS SELECT * FROM feed.log WHERE false")
            await db.execute("CREATE SEQUENCE mine.log_seq")
        else:
            await db.execute("CREATE TEMPORARY TABLE log AS SELECT * FROM feed.log WHERE false")
            await db.execute("CREATE TEMPORARY TABLE old_rows AS SELECT * FROM opportunities WHERE false")
            await db.execute("CREATE TEMPORARY TABLE new_rows AS SELECT * FROM opportunities WHERE false")
        await db.execute("UPDATE public.opportunities SET title = title || '!'")
        assert await value(db, "SELECT count(*) FROM log") == 0
    await db.execute("RESET search_path")
    found = await log_rows(db, before)
    assert [(row["new"]["title"], row["actor"]) for row in found] == [
        ("A deal!", "boardcast"),
        ("A deal!!", "boardcast"),
    ]


async def test_truncate_cascade_logs_each_table(db: Connection) -> None:
    before = await newest_seq(db)
    await db.execute("TRUNCATE feed.boards CASCADE")
    found = await log_rows(db, before)
    assert {(row["op"], row["relation"]) for row in found} == {
        ("truncate", "feed.boards"),
        ("truncate", "feed.board_members"),
        ("truncate", "opportunities"),
        ("truncate", "feed.opportunity_details"),
    }
    assert await rows(db, "SELECT FROM opportunities") == []


async def test_a_statement_that_changes_rows_in_different_ways_logs_them_all(db: Connection) -> None:
    """A row that could be logged by the fast path of a single row, beside rows that could not."""
    await db.execute("CREATE TABLE t (id text PRIMARY KEY, board text, note text)")
    await db.execute("SELECT feed.attach('t', board => 'board')")
    before = await newest_seq(db)
    await db.execute(
        "INSERT INTO t VALUES ('plain', 'b1', ''), ('moved', 'b1', ''), ('renamed', 'b1', ''), ('none', NULL, ''), "
        "('same', 'b1', 'x'), ('large', 'b1', repeat('0123456789', 300))"
    )
    assert {(op, key) for op, key, _ in await logged_changes(db, before)} == {
        ("insert", key) for key in ("plain", "moved", "renamed", "none", "same", "large")
    }
    before = await newest_seq(db)
    await db.execute(
        "UPDATE t SET note = 'x', board = CASE id WHEN 'moved' THEN 'b2' ELSE board END, "
        "id = CASE id WHEN 'renamed' THEN 'new' ELSE id END"
    )
    assert set(await logged_changes(db, before)) == {
        ("update", "plain", "b1"),
        ("leave", "moved", "b1"),
        ("enter", "moved", "b2"),
        ("delete", "renamed", "b1"),
        ("insert", "new", "b1"),
        ("update", "none", None),
        ("update", "large", "b1"),
    }
