"""Applying the log in the order of delivery gives the table, even if the writer's statements are nested."""

from typing import Any, LiteralString

import pytest

from tests.support.database import Database
from tests.support.fold import delivered_log, fold

TASKS: LiteralString = """
    CREATE TABLE tasks (id int PRIMARY KEY, board_id text, hours int, total int);
    SELECT feed.attach('tasks', board => 'board_id');
"""

DOUBLED: LiteralString = """
    CREATE FUNCTION double() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        UPDATE tasks SET total = hours * 2 WHERE id = NEW.id AND total IS DISTINCT FROM hours * 2; RETURN NULL; END$$;
    CREATE TRIGGER double AFTER INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION double();
"""

RESTORED: LiteralString = """
    CREATE FUNCTION restore() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        INSERT INTO tasks VALUES (OLD.id, OLD.board_id, OLD.hours, OLD.total); RETURN NULL; END$$;
    CREATE TRIGGER restore AFTER DELETE ON tasks FOR EACH ROW EXECUTE FUNCTION restore();
"""

REPLACED: LiteralString = """
    CREATE FUNCTION replace() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        DELETE FROM tasks WHERE id = NEW.id; RETURN NEW; END$$;
    CREATE TRIGGER replace BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION replace();
"""

CONSUMED: LiteralString = """
    CREATE FUNCTION consume() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        DELETE FROM tasks WHERE id = NEW.id AND hours < 0; RETURN NULL; END$$;
    CREATE TRIGGER consume AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION consume();
"""

NEXT: LiteralString = """
    CREATE FUNCTION next() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        UPDATE tasks SET hours = hours + 1 WHERE id = NEW.id + 1 AND hours < 5;
        UPDATE tasks SET hours = hours + 1 WHERE id = NEW.id AND hours < 5; RETURN NULL; END$$;
    CREATE TRIGGER next AFTER UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION next();
"""

# Not fed itself, but its trigger writes to a fed table.
OUTSIDE: LiteralString = """
    CREATE TABLE outside (id int);
    CREATE FUNCTION toggle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        UPDATE tasks SET hours = 1 - hours WHERE id = NEW.id; RETURN NULL; END$$;
    CREATE TRIGGER toggle AFTER INSERT ON outside FOR EACH ROW EXECUTE FUNCTION toggle();
"""

BUMP: LiteralString = """
    CREATE FUNCTION bump(task int) RETURNS int LANGUAGE plpgsql AS $$BEGIN
        UPDATE tasks SET total = total + 100 WHERE id = 1; RETURN task; END$$;
"""

CASES: dict[str, tuple[LiteralString, tuple[LiteralString, ...]]] = {
    "a trigger that completes the row": (
        DOUBLED,
        ("INSERT INTO tasks VALUES (1, 'b', 3, 0)", "UPDATE tasks SET hours = 8, total = 0"),
    ),
    "many rows at once": (
        DOUBLED,
        (
            "INSERT INTO tasks SELECT n, 'b', n, 0 FROM generate_series(1, 50) AS n",
            "UPDATE tasks SET hours = hours + 1",
        ),
    ),
    "a row put back by a trigger": (
        RESTORED,
        ("INSERT INTO tasks VALUES (1, 'b', 3, 0), (2, 'b', 3, 0)", "DELETE FROM tasks WHERE id = 1"),
    ),
    "a row replaced by a trigger": (
        REPLACED,
        (
            "INSERT INTO tasks VALUES (1, 'b', 3, 0)",
            "INSERT INTO tasks VALUES (1, 'b', 4, 0)",
            "INSERT INTO tasks VALUES (1, 'b', 4, 0)",
        ),
    ),
    "a row replaced, and completed": (
        REPLACED + DOUBLED,
        ("INSERT INTO tasks VALUES (1, 'b', 3, 0)", "INSERT INTO tasks VALUES (1, 'b', 4, 0)"),
    ),
    "a row consumed by a trigger": (
        CONSUMED,
        ("INSERT INTO tasks VALUES (1, 'b', 3, 0), (2, 'b', -3, 0)", "INSERT INTO tasks VALUES (2, 'b', -4, 0)"),
    ),
    "triggers that change other rows of the statement": (
        NEXT,
        (
            "INSERT INTO tasks VALUES (1, 'b', 1, 0), (2, 'b', 1, 0), (3, 'b', 2, 0)",
            "UPDATE tasks SET hours = hours + 1",
        ),
    ),
    "deleted and inserted by one statement": (
        "",
        (
            "INSERT INTO tasks VALUES (1, 'b', 3, 0)",
            "WITH d AS (DELETE FROM tasks RETURNING *) INSERT INTO tasks SELECT id, 'c', hours, total FROM d",
            "WITH d AS (DELETE FROM tasks RETURNING *) INSERT INTO tasks SELECT * FROM d",
        ),
    ),
    "another key, and its old key again": (
        "",
        (
            "INSERT INTO tasks VALUES (1, 'b', 3, 0)",
            "WITH u AS (UPDATE tasks SET id = 2 WHERE id = 1 RETURNING *) INSERT INTO tasks SELECT 1, 'b', 9, 9 FROM u",
        ),
    ),
    "one transaction, before and after a trigger": (
        DOUBLED,
        (
            (
                "DO $$BEGIN INSERT INTO tasks VALUES (1, 'b', 3, 0); UPDATE tasks SET total = 6; UPDATE tasks SET total = 0;"
                " UPDATE tasks SET total = 6; UPDATE tasks SET hours = 4; DELETE FROM tasks;"
                " INSERT INTO tasks VALUES (1, 'b', 3, 6); END$$"
            ),
        ),
    ),
    "a trigger of a table that is not attached": (
        OUTSIDE,
        (
            "INSERT INTO tasks VALUES (1, 'b', 0, 0)",
            (
                "DO $$BEGIN INSERT INTO outside VALUES (1); UPDATE tasks SET hours = 0; INSERT INTO outside VALUES (1);"
                " UPDATE tasks SET hours = 0; END$$"
            ),
        ),
    ),
    "a function in the statement": (
        BUMP,
        (
            "INSERT INTO tasks VALUES (1, 'b', 0, 0), (2, 'b', 0, 0)",
            "UPDATE tasks SET total = CASE WHEN id = 1 THEN 10 ELSE bump(id) END",
        ),
    ),
    "a savepoint that was rolled back": (
        DOUBLED,
        (
            "INSERT INTO tasks VALUES (1, 'b', 3, 0)",
            (
                "DO $$BEGIN UPDATE tasks SET hours = 5;"
                " BEGIN UPDATE tasks SET hours = 7; RAISE 'undo'; EXCEPTION WHEN raise_exception THEN NULL; END;"
                " UPDATE tasks SET hours = 5, total = 0; END$$"
            ),
        ),
    ),
    "a constraint trigger at the end of the transaction": (
        DOUBLED.replace("CREATE TRIGGER double", "CREATE CONSTRAINT TRIGGER double").replace(
            "ON tasks FOR", "ON tasks DEFERRABLE INITIALLY DEFERRED FOR"
        ),
        (
            "INSERT INTO tasks VALUES (1, 'b', 3, 0)",
            "DO $$BEGIN UPDATE tasks SET hours = 5; UPDATE tasks SET hours = 6, total = 0; END$$",
        ),
    ),
    "merged": (
        DOUBLED,
        (
            "INSERT INTO tasks VALUES (1, 'b', 3, 0), (2, 'b', 3, 0)",
            (
                "MERGE INTO tasks AS t USING (VALUES (1, 5), (2, NULL), (3, 7)) AS s(id, hours) ON t.id = s.id"
                " WHEN MATCHED AND s.hours IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET hours = s.hours, total = 0"
                " WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'b', s.hours, 0)"
            ),
        ),
    ),
}


async def table(database: Database) -> dict[str, dict[str, Any]]:
    rows = await database.execute("SELECT t.id::text AS key, feed.row_json(t) AS row FROM tasks AS t")
    return {row["key"]: row["row"] for row in rows}


# Each kind of row is logged in its own way.
ROWS: dict[str, LiteralString] = {
    "small": "SELECT",
    "large": "ALTER TABLE tasks ADD COLUMN notes text DEFAULT repeat('long', 1000)",
    "that jsonb refuses": r"""ALTER TABLE tasks ADD COLUMN notes json DEFAULT '"\u0000"'""",
}


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("case", CASES)
async def test_the_log_has_the_order_in_which_the_versions_of_a_row_existed(
    database: Database, case: str, row: str
) -> None:
    triggers, statements = CASES[case]
    await database.execute(TASKS)
    await database.execute(ROWS[row])
    if triggers:
        await database.execute(triggers)
    for statement in statements:
        await database.execute(statement)
    assert fold(await delivered_log(database, "tasks")) == await table(database)


@pytest.mark.any_version
async def test_each_statement_has_its_own_author_when_a_trigger_writes_another_table(database: Database) -> None:
    await database.execute(
        """
        CREATE TABLE deals (id int PRIMARY KEY, title text, last_modified_by text);
        CREATE TABLE notes (id int PRIMARY KEY, deal int, last_modified_by text);
        INSERT INTO deals VALUES (1, 'a', 'old'); INSERT INTO notes VALUES (1, 1, 'old'), (2, 1, 'old');
        SELECT feed.attach('deals'); SELECT feed.attach('notes');
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
            UPDATE notes SET last_modified_by = 'robot', deal = 2 WHERE id = 1;
            UPDATE notes SET deal = 3 WHERE id = 2; RETURN NEW; END$$;
        CREATE TRIGGER note AFTER UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION note();
        """
    )
    await database.execute("UPDATE deals SET title = 'b', last_modified_by = 'ana'")
    found = await database.execute(
        "SELECT relation, key, actor FROM feed.log WHERE op = 'update' ORDER BY relation, key"
    )
    (user,) = await database.execute("SELECT session_user::text AS name")
    assert [tuple(row.values()) for row in found] == [
        ("deals", "1", "ana"),
        ("notes", "1", "robot"),
        ("notes", "2", user["name"]),
    ]


async def test_sorting_reads_the_log_in_proportion_to_the_rows_of_the_statement(database: Database) -> None:
    """A row of the log is looked at a few times, not once for each other row of the statement or of the transaction."""
    rows = 1000
    await database.execute(TASKS + DOUBLED)
    async with await database.connect() as conn:

        async def index_reads() -> int:
            await conn.execute("SELECT pg_stat_force_next_flush()")
            await conn.execute("SELECT pg_stat_clear_snapshot()")
            found = await conn.execute(
                "SELECT sum(idx_tup_read)::int AS reads FROM pg_stat_user_indexes"
                " WHERE schemaname = 'feed' AND relname LIKE 'log_%'"
            )
            (row,) = await found.fetchall()
            return int(row["reads"])

        before = await index_reads()
        await conn.execute("INSERT INTO tasks SELECT n, 'b', n, 0 FROM generate_series(1, %s) AS n", [rows])
        after_one = await index_reads()
        await conn.execute(
            "DO $$BEGIN FOR i IN 1..1000 LOOP UPDATE tasks SET hours = i + 1, total = 0 WHERE id = 1; END LOOP; END$$"
        )
        after_many = await index_reads()
    assert after_one - before < 20 * rows
    assert after_many - after_one < 20 * rows


@pytest.mark.any_version
@pytest.mark.parametrize(
    ("write", "authors"),
    [
        ("UPDATE deals SET title = 'b', last_modified_by = 'ana'", {("deals", "b", "ana"), ("deals", "b!", "session")}),
        (
            (
                "WITH n AS (UPDATE notes SET deal = 2 RETURNING deal)"
                " UPDATE deals SET title = 'c!', last_modified_by = 'ana' FROM n WHERE n.deal = 2"
            ),
            {("deals", "c!", "ana"), ("notes", None, "session")},
        ),
        (
            (
                "WITH n AS (UPDATE notes SET deal = 2, last_modified_by = 'ana' RETURNING deal)"
                " UPDATE deals SET title = 'c!' FROM n WHERE n.deal = 2"
            ),
            {("deals", "c!", "session"), ("notes", None, "ana")},
        ),
    ],
    ids=["a trigger that does not name one", "the second of two statements", "the first of two statements"],
)
async def test_only_the_statement_that_names_an_author_has_it(
    database: Database, write: LiteralString, authors: set[tuple[str, str | None, str]]
) -> None:
    await database.execute(
        """
        CREATE TABLE deals (id int PRIMARY KEY, title text, last_modified_by text);
        CREATE TABLE notes (id int PRIMARY KEY, deal int, last_modified_by text);
        INSERT INTO deals VALUES (1, 'a', 'old'); INSERT INTO notes VALUES (1, 1, 'old');
        SELECT feed.attach('deals'); SELECT feed.attach('notes');
        CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
            UPDATE deals SET title = title || '!' WHERE id = NEW.id AND title NOT LIKE '%!'; RETURN NEW; END$$;
        CREATE TRIGGER mark AFTER UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION mark();
        """
    )
    await database.execute(write)
    found = await database.execute(
        "SELECT relation, new ->> 'title' AS title, CASE actor WHEN session_user THEN 'session' ELSE actor END AS actor"
        " FROM feed.log WHERE op = 'update'"
    )
    assert {tuple(row.values()) for row in found} == authors
    assert await database.execute("SELECT coalesce(current_setting('feed.open', true), '') AS open") == [{"open": ""}]
