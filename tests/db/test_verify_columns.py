"""Migrations of the application are no findings: a name in the log may have stood for another column, or for another type."""

from typing import LiteralString

import pytest

from db.changelog import verify
from tests.db.support import Connection, rows
from tests.db.test_verify_damage import kinds
from tests.db.verifying import Plain, bypass_triggers, fed_table, find_drift

pytestmark = pytest.mark.any_version

TASKS: tuple[LiteralString, ...] = (
    """CREATE TABLE tasks (
        id int PRIMARY KEY, board_id text, a text, b text, n numeric DEFAULT 1.5, at timestamptz DEFAULT '2026-01-01 12:00+00',
        list text[] DEFAULT '{x,y}', notes text
    )""",
    "SELECT feed.attach('tasks', board => 'board_id')",
)
LARGE: LiteralString = "ALTER TABLE tasks ALTER notes SET DEFAULT repeat('long', 1000)"
ROWS: tuple[LiteralString, ...] = (
    "INSERT INTO tasks (id, board_id, a, b) SELECT i, 'b1', 'a' || i, 'b' || i FROM generate_series(1, 3) AS i",
    "UPDATE tasks SET a = 'A' || id",
)
MIGRATIONS: dict[str, LiteralString] = {
    "a new column takes the name of a renamed one": "ALTER TABLE tasks RENAME a TO c; ALTER TABLE tasks ADD a text DEFAULT 'new'",
    "a new column of another type takes its name": "ALTER TABLE tasks RENAME a TO c; ALTER TABLE tasks ADD a int DEFAULT 7",
    "dropped and added anew": "ALTER TABLE tasks DROP a; ALTER TABLE tasks ADD a text",
    "dropped and added anew with another type": "ALTER TABLE tasks DROP a; ALTER TABLE tasks ADD a jsonb DEFAULT '[1]'",
    "two columns swap their names": """ALTER TABLE tasks RENAME a TO x;
        ALTER TABLE tasks RENAME b TO a; ALTER TABLE tasks RENAME x TO b""",
    "numeric to text": "ALTER TABLE tasks ALTER n DROP DEFAULT, ALTER n TYPE text",
    "numeric to text, in other words": "ALTER TABLE tasks ALTER n DROP DEFAULT, ALTER n TYPE text USING n || ' items'",
    "numeric to integer": "ALTER TABLE tasks ALTER n TYPE integer",
    "numeric with fewer digits": "ALTER TABLE tasks ALTER n TYPE numeric(10, 0)",
    "text to integer": "ALTER TABLE tasks ALTER a TYPE integer USING length(a)",
    "time to text": "ALTER TABLE tasks ALTER at DROP DEFAULT, ALTER at TYPE text",
    "time to date": "ALTER TABLE tasks ALTER at TYPE date",
    "array to text": "ALTER TABLE tasks ALTER list DROP DEFAULT, ALTER list TYPE text",
    "the key has another name": "ALTER TABLE tasks RENAME id TO task_no",
}
UPDATES: tuple[LiteralString, ...] = (
    "UPDATE tasks SET notes = coalesce(notes, '') || '.'",
    "UPDATE tasks SET notes = notes || '.', list = DEFAULT",
    "SELECT feed.maintain()",  # as the services do once a minute
    "UPDATE tasks SET notes = notes || '!'",
    "SELECT feed.mend()",
    "UPDATE tasks SET notes = notes || '?'",
)


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("migration", MIGRATIONS.values(), ids=MIGRATIONS.keys())
async def test_a_migration_of_the_application_is_no_finding(
    db: Connection, conn: Plain, migration: LiteralString, size: str
) -> None:
    for statement in (*TASKS, *((LARGE,) if size == "large" else ()), *ROWS):
        await db.execute(statement)
    assert await kinds(conn) == set()
    await db.execute(migration)
    assert await kinds(conn) == set()
    for update in UPDATES:
        await db.execute(update)
        assert await kinds(conn, of=("tasks",)) == set(), update
    # The other columns are compared throughout, and these, too, once the log has them.
    async with bypass_triggers(db):
        await db.execute(
            "UPDATE tasks SET b = NULL, notes = 'Past' WHERE notes LIKE '%?' AND ctid = (SELECT min(ctid) FROM tasks)"
        )
    (changed,) = await find_drift(conn, "tasks")
    assert changed.what == "changed"
    assert "notes" in (changed.columns or [])
    assert await verify.repair(conn, await fed_table(conn, "tasks"), [changed.key]) == 1
    assert await kinds(conn) == set()


@pytest.mark.parametrize("migration", MIGRATIONS.values(), ids=MIGRATIONS.keys())
async def test_damage_on_both_sides_of_a_migration_is_found(
    db: Connection, conn: Plain, migration: LiteralString
) -> None:
    for statement in (*TASKS, *ROWS):
        await db.execute(statement)
    async with bypass_triggers(db):
        await db.execute("UPDATE tasks SET notes = 'Past', n = 0 WHERE b = 'b2'")
    await db.execute(migration)
    (missed,) = await find_drift(conn, "tasks")
    assert (missed.what, missed.key, "notes" in (missed.columns or [])) == ("changed", "2", True)
    await db.execute("UPDATE tasks SET notes = coalesce(notes, '') || '.'")
    await db.execute("SELECT feed.maintain()")
    (hole,) = await find_drift(conn, "tasks")
    assert (hole.what, hole.key) == ("hole", "2")
    await db.execute("UPDATE tasks SET notes = notes || '.'")
    async with bypass_triggers(db):
        await db.execute("UPDATE tasks SET notes = 'Past' WHERE notes = '..'")
    await db.execute("UPDATE tasks SET notes = notes || '.'")
    assert {one.what for one in await find_drift(conn, "tasks")} == {"hole"}
    assert {one.key for one in await find_drift(conn, "tasks")} == {"1", "2", "3"}


async def test_a_migration_that_writes_rows_itself_is_no_finding(db: Connection, conn: Plain) -> None:
    for statement in (*TASKS, *ROWS):
        await db.execute(statement)
    async with db.transaction():
        await db.execute("UPDATE tasks SET b = 'before'")
        await db.execute("ALTER TABLE tasks RENAME a TO c")
        await db.execute("ALTER TABLE tasks ADD a int")
        await db.execute("UPDATE tasks SET a = length(c)")
        # A service notes the columns meanwhile. It sees those from before.
        await conn.execute("SELECT feed.maintain()")
    assert await kinds(conn) == set()
    await db.execute("UPDATE tasks SET a = a + 1")
    assert await kinds(conn) == set()


async def test_another_expression_of_a_generated_column_is_no_finding(db: Connection, conn: Plain) -> None:
    if conn.info.server_version < 170000:
        pytest.skip("PostgreSQL 17 can change the expression")
    for statement in (*TASKS, "ALTER TABLE tasks ADD twice text GENERATED ALWAYS AS (b || b) STORED", *ROWS):
        await db.execute(statement)
    await db.execute("SELECT feed.maintain()")
    await db.execute("ALTER TABLE tasks ALTER twice SET EXPRESSION AS (b || '!')")
    assert await kinds(conn) == set()
    for update in UPDATES:
        await db.execute(update)
        assert await kinds(conn) == set(), update


async def test_versions_that_were_dropped_and_added_again_leave_no_hole(db: Connection, conn: Plain) -> None:
    await db.execute("UPDATE opportunities SET title = 'Second'")
    await db.execute("ALTER TABLE opportunities DROP COLUMN version_number")
    await db.execute("UPDATE opportunities SET title = 'Third'")
    assert await kinds(conn) == set()
    await db.execute("SELECT feed.mend()")
    assert await kinds(conn) == set()
    await db.execute("UPDATE opportunities SET title = 'Fourth'")
    assert await kinds(conn) == set()


@pytest.mark.parametrize("column", ["title", "phase", "board_id"])
async def test_values_that_a_migration_restores_leave_no_hole(db: Connection, conn: Plain, column: str) -> None:
    await db.execute("UPDATE opportunities SET title = 'Second', phase = 'won'")
    await db.execute(f"ALTER TABLE opportunities DROP COLUMN {column}".encode())
    assert await kinds(conn) == set()
    await db.execute("SELECT feed.mend()")
    assert await kinds(conn) == set()
    await db.execute("UPDATE opportunities SET company = 'Company'")
    assert await kinds(conn) == set()


async def test_a_repair_after_a_column_was_dropped_is_no_damage(db: Connection, conn: Plain) -> None:
    await db.execute("ALTER TABLE opportunities DROP COLUMN contact, ADD COLUMN region text")
    async with bypass_triggers(db):
        await db.execute("UPDATE opportunities SET title = 'Past', version_number = 2")
    await verify.repair(conn, await fed_table(conn), ["o1"])
    assert await kinds(conn) == set()


async def test_the_columns_are_noted_once_after_each_change(db: Connection) -> None:
    for statement in (*TASKS, *ROWS):
        await db.execute(statement)
    noted = "SELECT jsonb_array_length(layouts) AS n FROM feed.attached WHERE relation = 'tasks'::regclass"
    for _ in range(2):
        await db.execute("SELECT feed.maintain()")
        assert await rows(db, noted) == [{"n": 1}]
    await db.execute("ALTER TABLE tasks ADD c text")
    for _ in range(2):
        await db.execute("SELECT feed.maintain()")
        assert await rows(db, noted) == [{"n": 2}]
    await db.execute("SELECT feed.attach('tasks', board => 'a')")
    assert await rows(db, noted) == [{"n": 2}]
