"""feed.health reports changes to an attached table that its triggers do not see, and each fix works."""

from typing import LiteralString, NamedTuple

import pytest
from psycopg import errors

from db.changelog import verify
from tests.db.support import Connection, log_rows, logged_changes, newest_seq, rows, value
from tests.db.test_health import health, run_fix
from tests.db.verifying import Plain, find_drift

pytestmark = pytest.mark.any_version

TASKS: LiteralString = """
    CREATE TABLE tasks (id int PRIMARY KEY, board text, name text);
    INSERT INTO tasks SELECT n, 'b1', 'Task' FROM generate_series(1, 3) AS n;
    SELECT feed.attach('tasks', board => 'board');
    UPDATE tasks SET name = 'Known';
"""
PARTS: LiteralString = """
    CREATE TABLE tasks (id int PRIMARY KEY, board text, name text) PARTITION BY RANGE (id);
    CREATE TABLE tasks_1 PARTITION OF tasks FOR VALUES FROM (0) TO (10);
    CREATE TABLE tasks_2 PARTITION OF tasks FOR VALUES FROM (10) TO (20);
    CREATE TABLE other (LIKE tasks INCLUDING ALL);
    INSERT INTO other VALUES (25, 'b1', 'Came along');
    INSERT INTO tasks VALUES (1, 'b1', 'One'), (11, 'b1', 'Eleven');
    SELECT feed.attach('tasks', board => 'board');
    UPDATE tasks SET name = 'Known';
"""


class Event(NamedTuple):
    """Something that happens to the table `tasks`."""

    statements: LiteralString
    problem: str
    """Part of what feed.health finds."""
    topic: str = "tables"
    setup: LiteralString = TASKS
    reloads: tuple[str, ...] = ("tasks",)
    """Relations that readers load again after the fix."""


EVENTS = {
    "copied, dropped, renamed": Event(
        """CREATE TABLE tasks_new (LIKE tasks INCLUDING ALL); INSERT INTO tasks_new SELECT * FROM tasks;
        DROP TABLE tasks; ALTER TABLE tasks_new RENAME TO tasks""",
        "public.tasks is another table now",
    ),
    "swapped by two RENAMEs": Event(
        """CREATE TABLE tasks_new (LIKE tasks INCLUDING ALL); INSERT INTO tasks_new SELECT * FROM tasks;
        ALTER TABLE tasks RENAME TO tasks_old; ALTER TABLE tasks_new RENAME TO tasks""",
        "public.tasks is another table now; the attached one is now tasks_old",
    ),
    "CREATE TABLE AS and a RENAME": Event(
        """CREATE TABLE tasks_new AS SELECT * FROM tasks; ALTER TABLE tasks_new ADD PRIMARY KEY (id);
        DROP TABLE tasks; ALTER TABLE tasks_new RENAME TO tasks""",
        "public.tasks is another table now",
    ),
    "emptied by a swap": Event(
        "CREATE TABLE n (LIKE tasks INCLUDING ALL); DROP TABLE tasks; ALTER TABLE n RENAME TO tasks",
        "public.tasks is another table now",
    ),
    "dropped and created again": Event(
        "DROP TABLE tasks; CREATE TABLE tasks (id int PRIMARY KEY, board text, name text)",
        "public.tasks is another table now",
    ),
    "restored with its triggers": Event(
        """DROP TABLE tasks; CREATE TABLE tasks (id int PRIMARY KEY, board text, name text);
        INSERT INTO tasks VALUES (1, 'b1', 'Restored');
        CREATE TRIGGER feed_capture_insert AFTER INSERT ON tasks REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board', 'id')""",
        "public.tasks is another table now",
    ),
    "copied by SQLite-like tools in one transaction": Event(
        """BEGIN; CREATE TABLE "new__tasks" (LIKE tasks INCLUDING ALL); INSERT INTO "new__tasks" SELECT * FROM tasks;
        DROP TABLE tasks CASCADE; ALTER TABLE "new__tasks" RENAME TO tasks; COMMIT""",
        "public.tasks is another table now",
    ),
    "dropped": Event("DROP TABLE tasks", "public.tasks was dropped", reloads=()),
    "replaced by a view": Event(
        "DROP TABLE tasks; CREATE VIEW tasks AS SELECT 1 AS id", "public.tasks was dropped", reloads=()
    ),
    "renamed": Event("ALTER TABLE tasks RENAME TO jobs", "public.tasks is called jobs now", reloads=("jobs", "tasks")),
    "moved to another schema": Event(
        "CREATE SCHEMA crm; ALTER TABLE tasks SET SCHEMA crm",
        "public.tasks is called crm.tasks now",
        reloads=("crm.tasks", "tasks"),
    ),
    "a swap of schemas": Event(
        """CREATE SCHEMA crm_new; CREATE TABLE crm_new.tasks (LIKE crm.tasks INCLUDING ALL);
        ALTER SCHEMA crm RENAME TO crm_old; ALTER SCHEMA crm_new RENAME TO crm""",
        "crm.tasks is another table now; the attached one is now crm_old.tasks",
        setup="""CREATE SCHEMA crm; CREATE TABLE crm.tasks (id int PRIMARY KEY, board text, name text);
        SELECT feed.attach('crm.tasks', board => 'board'); INSERT INTO crm.tasks VALUES (1, 'b1', 'One')""",
        reloads=("crm.tasks",),
    ),
    "a renamed schema": Event(
        "ALTER SCHEMA crm RENAME TO sales",
        "crm.tasks is called sales.tasks now",
        setup="""CREATE SCHEMA crm; CREATE TABLE crm.tasks (id int PRIMARY KEY, board text, name text);
        SELECT feed.attach('crm.tasks', board => 'board'); INSERT INTO crm.tasks VALUES (1, 'b1', 'One')""",
        reloads=("crm.tasks", "sales.tasks"),
    ),
    "made a partition": Event(
        """CREATE TABLE all_tasks (LIKE tasks) PARTITION BY LIST (id); ALTER TABLE all_tasks ADD PRIMARY KEY (id);
        ALTER TABLE all_tasks ATTACH PARTITION tasks DEFAULT""",
        "tasks is a partition of all_tasks",
        reloads=(),
    ),
    "given a child": Event("CREATE TABLE child () INHERITS (tasks)", "child inherits from tasks", reloads=()),
    "given a parent": Event(
        "CREATE TABLE parent (id int NOT NULL); ALTER TABLE tasks INHERIT parent",
        "tasks inherits from parent",
        reloads=(),
    ),
    "set unlogged": Event("ALTER TABLE tasks SET UNLOGGED", "tasks is unlogged", reloads=()),
    "a partition detached": Event(
        "ALTER TABLE tasks DETACH PARTITION tasks_2", "were detached or dropped: tasks_2", setup=PARTS
    ),
    "a partition dropped": Event("DROP TABLE tasks_2", "partitions of tasks were detached or dropped", setup=PARTS),
    "a partition attached": Event(
        "ALTER TABLE tasks ATTACH PARTITION other FOR VALUES FROM (20) TO (30)",
        "tables were attached to it as partitions: other",
        setup=PARTS,
    ),
    "a partition swapped": Event(
        """CREATE TABLE two (LIKE tasks_2 INCLUDING ALL); ALTER TABLE tasks DETACH PARTITION tasks_2;
        ALTER TABLE tasks ATTACH PARTITION two FOR VALUES FROM (10) TO (20)""",
        "were detached or dropped: tasks_2; tables were attached to it as partitions: two",
        setup=PARTS,
    ),
    "a partition swapped under its name": Event(
        """ALTER TABLE tasks DETACH PARTITION tasks_2; ALTER TABLE tasks_2 RENAME TO gone;
        CREATE TABLE tasks_2 (LIKE gone INCLUDING ALL);
        ALTER TABLE tasks ATTACH PARTITION tasks_2 FOR VALUES FROM (10) TO (20)""",
        "were detached or dropped: gone; tables were attached to it as partitions: tasks_2",
        setup=PARTS,
    ),
    "forgotten by hand": Event(
        "DELETE FROM feed.attached WHERE relation = 'tasks'::regclass", "tasks has triggers of the feed"
    ),
    "its key made nullable": Event(
        "ALTER TABLE tasks DROP CONSTRAINT k; ALTER TABLE tasks ALTER id DROP NOT NULL; ALTER TABLE tasks ADD UNIQUE (id)",
        "key column id of tasks can be null",
        setup="""CREATE TABLE tasks (id int NOT NULL CONSTRAINT k UNIQUE, board text, name text);
        SELECT feed.attach('tasks', key => 'id', board => 'board'); INSERT INTO tasks VALUES (1, 'b1', 'One')""",
        reloads=(),
    ),
    "its primary key dropped": Event(
        "ALTER TABLE tasks DROP CONSTRAINT tasks_pkey", "no index makes the key of tasks unique", "indexes", reloads=()
    ),
    "its key made deferrable": Event(
        "ALTER TABLE tasks DROP CONSTRAINT tasks_pkey, ADD UNIQUE (id) DEFERRABLE",
        "no index makes the key of tasks unique",
        "indexes",
        reloads=(),
    ),
    "one trigger dropped": Event("DROP TRIGGER feed_capture_delete ON tasks", "is missing", "triggers"),
    "all triggers dropped": Event(
        """DROP TRIGGER feed_begin ON tasks; DROP TRIGGER feed_capture_insert ON tasks; DROP TRIGGER feed_capture_update ON tasks;
        DROP TRIGGER feed_capture_delete ON tasks; DROP TRIGGER feed_capture_truncate ON tasks""",
        "feed_capture_insert on tasks is missing",
        "triggers",
    ),
    "a trigger disabled": Event(
        "ALTER TABLE tasks DISABLE TRIGGER feed_capture_insert", "is disabled", "triggers", reloads=()
    ),
    "all triggers disabled": Event("ALTER TABLE tasks DISABLE TRIGGER ALL", "is disabled", "triggers", reloads=()),
    "a trigger only for replicas": Event(
        "ALTER TABLE tasks ENABLE REPLICA TRIGGER feed_capture_update", "is replica", "triggers", reloads=()
    ),
    "a trigger with a condition": Event(
        """CREATE OR REPLACE TRIGGER feed_capture_truncate AFTER TRUNCATE ON tasks FOR EACH STATEMENT WHEN (false)
        EXECUTE FUNCTION feed.capture('board', 'id')""",
        "feed_capture_truncate on tasks is altered",
        "triggers",
    ),
    "a trigger for other writes": Event(
        """CREATE OR REPLACE TRIGGER feed_capture_insert AFTER UPDATE ON tasks REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board', 'id')""",
        "feed_capture_insert on tasks is altered",
        "triggers",
    ),
    "a trigger with another key": Event(
        """CREATE OR REPLACE TRIGGER feed_capture_insert AFTER INSERT ON tasks REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board', 'name')""",
        "feed_capture_insert on tasks is altered",
        "triggers",
    ),
    "a trigger that calls another function": Event(
        """CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE OR REPLACE TRIGGER feed_capture_insert AFTER INSERT ON tasks FOR EACH STATEMENT EXECUTE FUNCTION nothing()""",
        "feed_capture_insert on tasks is missing",
        "triggers",
    ),
    "a renamed trigger": Event(
        "ALTER TRIGGER feed_capture_insert ON tasks RENAME TO mine",
        "feed_capture_insert on tasks is missing",
        "triggers",
    ),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())
async def test_it_is_reported_and_its_fix_makes_readers_load_the_table_again(
    db: Connection, conn: Plain, event: Event
) -> None:
    for statement in event.setup.split(";"):
        await db.execute(statement.encode())
    assert await problems(db) == {}
    await db.execute(event.statements)
    found = await health(db, event.topic)
    assert (found["status"], event.problem in found["found"]) == ("bad", True), found
    assert [fed for fed in await verify.tables(conn) if fed.faults], "boardcast verify says it, too"
    before = await newest_seq(db)
    await run_fix(db, found["fix"])
    assert await problems(db) == {}
    assert sorted({row["relation"] for row in await log_rows(db, before) if row["op"] == "reload"}) == sorted(
        event.reloads
    )


async def problems(db: Connection) -> dict[str, str]:
    """What is wrong with the attached tables, by topic."""
    found = await rows(
        db, "SELECT topic, found FROM feed.health WHERE status = 'bad' AND topic IN ('tables', 'triggers', 'indexes')"
    )
    return {row["topic"]: row["found"] for row in found}


async def test_writes_to_a_table_that_was_attached_again_are_logged(db: Connection, conn: Plain) -> None:
    await db.execute(TASKS)
    await db.execute(EVENTS["swapped by two RENAMEs"].statements)
    await run_fix(db, (await health(db, "tables"))["fix"])
    before = await newest_seq(db)
    await db.execute("UPDATE tasks SET name = 'New' WHERE id = 1")
    await db.execute("UPDATE tasks_old SET name = 'Old'")
    assert await logged_changes(db, before) == [("update", "1", "b1")]
    assert await find_drift(conn, "tasks") == [], "what the log says about the earlier table is no finding"


async def test_attaching_an_unchanged_table_again_changes_nothing(db: Connection) -> None:
    await db.execute(TASKS)
    before = await newest_seq(db)
    attached = await rows(db, "SELECT * FROM feed.attached")
    await db.execute("SELECT feed.attach('tasks', board => 'board')")
    assert await rows(db, "SELECT * FROM feed.attached") == attached
    assert await log_rows(db, before) == []
    await db.execute("SELECT feed.attach('tasks')")
    assert await logged_changes(db, before) == [("reload", None, None)], "without its board, for other readers"


async def test_the_history_continues_after_a_column_rename_and_restarts_with_another_column(
    db: Connection,
) -> None:
    await db.execute(TASKS)
    statement: LiteralString = "SELECT key, board, seq, xid::text FROM feed.attached WHERE relation = 'tasks'::regclass"
    before = (await rows(db, statement))[0]
    await db.execute("ALTER TABLE tasks RENAME id TO number; ALTER TABLE tasks RENAME board TO pipeline")
    assert (await health(db, "triggers"))["status"] == "warning"
    assert (await health(db, "tables"))["status"] == "ok"
    await run_fix(db, (await health(db, "triggers"))["fix"])
    assert (await rows(db, statement))[0] == before | {"key": ["number"], "board": "pipeline"}
    await db.execute("ALTER TABLE tasks DROP number; ALTER TABLE tasks ADD number serial PRIMARY KEY")
    await db.execute("SELECT feed.attach('tasks', board => 'pipeline')")
    assert (await rows(db, statement))[0]["seq"] > before["seq"]
    assert await problems(db) == {}


async def test_the_opportunities_may_have_another_name_but_no_other_table_is_logged_under_theirs(
    db: Connection,
) -> None:
    await db.execute("ALTER TABLE opportunities RENAME TO deals")
    assert await problems(db) == {}
    await db.execute("CREATE TABLE opportunities (id int PRIMARY KEY)")
    assert await problems(db) == {}
    with pytest.raises(errors.DuplicateTable, match="deals is logged under the name opportunities"):
        await db.execute("SELECT feed.attach('opportunities')")
    await db.execute("SELECT feed.attach('deals', board => 'board_id')")
    assert await problems(db) == {}


async def test_opportunities_that_were_created_again_are_attached_again(db: Connection) -> None:
    await db.execute("DROP TABLE opportunities")
    assert "public.opportunities was dropped" in (await problems(db))["tables"]
    await db.execute("CREATE TABLE opportunities (id int PRIMARY KEY, title text)")
    found = await health(db, "tables")
    assert "public.opportunities is another table now" in found["found"]
    await run_fix(db, found["fix"])
    assert await problems(db) == {}
    before = await newest_seq(db)
    await db.execute("INSERT INTO opportunities (id, title, board_id) VALUES (7, 'New', 'b1')")
    assert [(op, key) for op, key, _ in await logged_changes(db, before)] == [("insert", "7")]


async def test_partitions_that_are_created_are_no_problem_and_their_end_is_one(db: Connection) -> None:
    await db.execute(PARTS)
    await db.execute("CREATE TABLE tasks_3 PARTITION OF tasks FOR VALUES FROM (20) TO (30) PARTITION BY RANGE (id)")
    await db.execute("CREATE TABLE tasks_3_1 PARTITION OF tasks_3 DEFAULT")
    assert await problems(db) == {}
    await db.execute("SELECT feed.maintain()")
    assert await problems(db) == {}
    await db.execute("DROP TABLE tasks_3_1")
    assert "tasks were detached or dropped" in (await problems(db))["tables"]


async def test_members_and_flags_make_every_reader_start_over(db: Connection) -> None:
    feed_id = await value(db, "SELECT feed_id FROM feed.identity")
    await db.execute(
        "CREATE TABLE feed.b (LIKE feed.boards INCLUDING ALL); ALTER TABLE feed.boards RENAME TO c;"
        "ALTER TABLE feed.b RENAME TO boards"
    )
    await run_fix(db, (await health(db, "tables"))["fix"])
    assert await value(db, "SELECT feed_id FROM feed.identity") == feed_id
    await db.execute(
        "CREATE TABLE feed.m (LIKE feed.board_members INCLUDING ALL); DROP TABLE feed.board_members;"
        "ALTER TABLE feed.m RENAME TO board_members"
    )
    await run_fix(db, (await health(db, "tables"))["fix"])
    assert await value(db, "SELECT feed_id FROM feed.identity") != feed_id
