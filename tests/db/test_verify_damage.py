# ruff: noqa: S608 - statements of this file
"""Each kind of damage that leaves a trace, in a table or in the log, is found by verify, and nothing is found before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString, NamedTuple

import psycopg
import pytest

from db.changelog import verify
from db.embedded.server import EmbeddedPostgres
from db.session import with_settings
from tests.db.support import Connection, add_rows, rows, value
from tests.db.verifying import Plain, bypass_triggers
from tests.support.database import Database, cloned

pytestmark = pytest.mark.any_version

SETUP: tuple[LiteralString, ...] = (
    "CREATE TABLE tasks (id int PRIMARY KEY, board_id text, name text, n numeric DEFAULT 0, notes text)",
    "SELECT feed.attach('tasks', board => 'board_id')",
    "INSERT INTO tasks SELECT i, 'b1', 'Task' FROM generate_series(1, 5) AS i",
    "UPDATE tasks SET name = 'Two', n = 1.5 WHERE id = 2",
    "UPDATE tasks SET name = 'Three'",
    "UPDATE tasks SET n = n + 1",
    "UPDATE tasks SET n = n + 1, name = 'Three!'",
    "UPDATE tasks SET board_id = 'b2' WHERE id = 2",
    "SELECT feed.rotate_partition(), feed.maintain()",
    "UPDATE tasks SET name = 'Four'",
    "UPDATE tasks SET n = 4",
    "DELETE FROM tasks WHERE id = 4",
    "INSERT INTO tasks VALUES (4, 'b1', 'Again')",
    "SELECT feed.rotate_partition(), feed.maintain()",
    "UPDATE tasks SET name = 'Five'",
    "UPDATE tasks SET n = 5",
    "UPDATE opportunities SET title = 'Two' WHERE id = 'o1'",
    "UPDATE opportunities SET title = 'Three' WHERE id = 'o1'",
    "DELETE FROM tasks WHERE id = 5",
)
UPDATE: LiteralString = (
    "(SELECT seq FROM feed.log WHERE relation = 'tasks' AND key = '2' AND op = 'update' ORDER BY seq LIMIT 1 OFFSET 1)"
)
NEWEST: LiteralString = "(SELECT max(seq) FROM feed.log WHERE relation = 'tasks' AND key = '2')"
FIRST: LiteralString = "(SELECT min(seq) FROM feed.log WHERE relation = 'tasks' AND key = '2')"
DELETED: LiteralString = "(SELECT seq FROM feed.log WHERE relation = 'tasks' AND key = '4' AND op = 'delete')"


class Damage(NamedTuple):
    """A statement that runs with the triggers off, and then one of the application, which is captured."""

    statement: str
    kinds: set[str]
    """At least one of these is found."""
    then: LiteralString = ""


DAMAGES = {
    "a row changed": Damage("UPDATE tasks SET name = 'x' WHERE id = 2", {"changed"}),
    "a row changed, then captured": Damage(
        "UPDATE tasks SET name = 'x' WHERE id = 2", {"hole"}, "UPDATE tasks SET n = 7"
    ),
    "a row changed, then deleted": Damage("UPDATE tasks SET name = 'x' WHERE id = 2", {"hole"}, "DELETE FROM tasks"),
    "a row changed, then moved": Damage(
        "UPDATE tasks SET name = 'x' WHERE id = 2", {"hole"}, "UPDATE tasks SET board_id = 'b3'"
    ),
    "a row moved, then captured": Damage(
        "UPDATE tasks SET board_id = 'b9' WHERE id = 2", {"hole"}, "UPDATE tasks SET n = 7"
    ),
    "a version": Damage(
        "UPDATE opportunities SET version_number = 9", {"hole"}, "UPDATE opportunities SET title = 'x' WHERE id = 'o1'"
    ),
    "a row inserted": Damage("INSERT INTO tasks VALUES (9, 'b1', 'x')", {"unlogged"}),
    "a row inserted, then captured": Damage(
        "INSERT INTO tasks VALUES (9, 'b1', 'x')", {"hole"}, "UPDATE tasks SET n = 7 WHERE id = 9"
    ),
    "a row inserted, then deleted": Damage(
        "INSERT INTO tasks VALUES (9, 'b1', 'x')", {"hole"}, "DELETE FROM tasks WHERE id = 9"
    ),
    "a deleted row back": Damage("INSERT INTO tasks VALUES (5, 'b1', 'x')", {"back"}),
    "a deleted row back, then captured": Damage(
        "INSERT INTO tasks VALUES (5, 'b1', 'x')", {"hole"}, "UPDATE tasks SET n = 7 WHERE id = 5"
    ),
    "a row deleted": Damage("DELETE FROM tasks WHERE id = 2", {"gone"}),
    "a row deleted, then inserted": Damage(
        "DELETE FROM tasks WHERE id = 2", {"hole"}, "INSERT INTO tasks VALUES (2, 'b1', 'x')"
    ),
    "a table emptied": Damage("TRUNCATE tasks", {"gone"}),
    "the key changed": Damage("UPDATE tasks SET id = 22 WHERE id = 2", {"gone", "unlogged"}),
    "log: an older row deleted": Damage(f"DELETE FROM feed.log WHERE seq = {UPDATE}", {"hole"}),
    "log: the first row deleted": Damage(f"DELETE FROM feed.log WHERE seq = {FIRST}", {"hole"}),
    "log: the newest row deleted": Damage(f"DELETE FROM feed.log WHERE seq = {NEWEST}", {"changed"}),
    "log: all rows of a key deleted": Damage(
        "DELETE FROM feed.log WHERE relation = 'tasks' AND key = '2'", {"unlogged"}
    ),
    "log: leave deleted": Damage("DELETE FROM feed.log WHERE op = 'leave'", {"hole"}),
    "log: enter deleted": Damage("DELETE FROM feed.log WHERE op = 'enter'", {"hole"}),
    "log: a deletion deleted": Damage(f"DELETE FROM feed.log WHERE seq = {DELETED}", {"hole"}),
    "log: the newest deletion deleted": Damage("DELETE FROM feed.log WHERE op = 'delete' AND key = '5'", {"gone"}),
    "log: before-image altered": Damage(
        f'UPDATE feed.log SET old = old || \'{{"name": "x"}}\' WHERE seq = {UPDATE}', {"hole"}
    ),
    "log: newest before-image altered": Damage(
        f'UPDATE feed.log SET old = old || \'{{"name": "x"}}\' WHERE seq = {NEWEST}', {"hole"}
    ),
    "log: before-image of a deletion altered": Damage(
        f"UPDATE feed.log SET old = old || '{{\"n\": 3}}' WHERE seq = {DELETED}", {"hole"}
    ),
    "log: after-image altered": Damage(
        f"UPDATE feed.log SET new = new || '{{\"n\": 3}}' WHERE seq = {UPDATE}", {"hole"}
    ),
    "log: first after-image altered": Damage(
        f"UPDATE feed.log SET new = new || '{{\"n\": 3}}' WHERE seq = {FIRST}", {"hole"}
    ),
    "log: newest after-image altered": Damage(
        f"UPDATE feed.log SET new = new || '{{\"n\": 3}}' WHERE seq = {NEWEST}", {"changed"}
    ),
    "log: both images altered": Damage(
        f"UPDATE feed.log SET old = old || '{{\"n\": 3}}', new = new || '{{\"n\": 3}}' WHERE seq = {UPDATE}", {"hole"}
    ),
    "log: a column of an image removed": Damage(
        f"UPDATE feed.log SET new = new - 'name' WHERE seq = {UPDATE}", {"damaged"}
    ),
    "log: an image removed": Damage(f"UPDATE feed.log SET old = NULL WHERE seq = {UPDATE}", {"damaged"}),
    "log: op changed to insert": Damage(f"UPDATE feed.log SET op = 'insert' WHERE seq = {UPDATE}", {"damaged"}),
    "log: op changed to leave": Damage(f"UPDATE feed.log SET op = 'leave' WHERE seq = {UPDATE}", {"hole"}),
    "log: op changed to delete": Damage(f"UPDATE feed.log SET op = 'delete' WHERE seq = {NEWEST}", {"damaged"}),
    "log: op changed to update": Damage(f"UPDATE feed.log SET op = 'update' WHERE seq = {DELETED}", {"damaged"}),
    "log: relation changed": Damage(f"UPDATE feed.log SET relation = 'x' WHERE seq = {UPDATE}", {"hole"}),
    "log: relation changed to another table": Damage(
        f"UPDATE feed.log SET relation = 'feed.boards' WHERE seq = {UPDATE}", {"hole"}
    ),
    "log: key changed": Damage(f"UPDATE feed.log SET key = '3' WHERE seq = {UPDATE}", {"damaged", "hole"}),
    "log: key changed to a new one": Damage(
        f"UPDATE feed.log SET key = 'x9' WHERE seq = {NEWEST}", {"changed", "hole"}
    ),
    "log: board changed": Damage(f"UPDATE feed.log SET board = 'b9' WHERE seq = {UPDATE}", {"damaged"}),
    "log: board removed": Damage(f"UPDATE feed.log SET board = NULL WHERE seq = {NEWEST}", {"damaged"}),
    "log: version changed": Damage(
        "UPDATE feed.log SET version = 7 WHERE relation = 'opportunities' AND version = 2", {"damaged"}
    ),
    "log: seq changed to the end": Damage(
        f"UPDATE feed.log SET seq = nextval('feed.log_seq') WHERE seq = {UPDATE}", {"hole"}
    ),
    "log: seq changed to the start": Damage(f"UPDATE feed.log SET seq = -1 WHERE seq = {NEWEST}", {"damaged"}),
    "log: seqs swapped": Damage(f"UPDATE feed.log SET seq = -seq WHERE seq IN ({UPDATE}, {NEWEST})", {"hole"}),
    "log: seq in the future": Damage(f"UPDATE feed.log SET seq = seq + 100000 WHERE seq = {NEWEST}", {"damaged"}),
    "log: xid raised": Damage(
        f"UPDATE feed.log SET xid = (SELECT max(xid) FROM feed.log) WHERE seq = {UPDATE}", {"damaged"}
    ),
    "log: xid lowered": Damage(
        f"UPDATE feed.log SET xid = (SELECT min(xid) FROM feed.log) WHERE seq = {NEWEST}", {"damaged"}
    ),
    "log: xid in the future": Damage(
        f"UPDATE feed.log SET xid = (xid::text::bigint + 1000000)::text::xid8 WHERE seq = {NEWEST}", {"damaged"}
    ),
    "log: a row duplicated": Damage(
        "INSERT INTO feed.log SELECT (jsonb_populate_record(l, jsonb_build_object('seq', nextval('feed.log_seq')))).*"
        f" FROM feed.log AS l WHERE seq = {UPDATE}",
        {"hole"},
    ),
    "log: a row duplicated in another partition": Damage(
        "INSERT INTO feed.log SELECT (jsonb_populate_record(l, '{\"partition_number\": 3}')).*"
        f" FROM feed.log AS l WHERE seq = {UPDATE}",
        {"damaged"},
    ),
    "log: a deletion duplicated": Damage(
        "INSERT INTO feed.log SELECT (jsonb_populate_record(l, jsonb_build_object('seq', nextval('feed.log_seq')))).*"
        f" FROM feed.log AS l WHERE seq = {DELETED}",
        {"hole", "back"},
    ),
    "log: a change invented": Damage(
        "INSERT INTO feed.log SELECT (jsonb_populate_record(l, jsonb_build_object('seq', nextval('feed.log_seq'), 'key', '77'))).*"
        f" FROM feed.log AS l WHERE seq = {UPDATE}",
        {"damaged"},
    ),
    "log: a truncate invented": Damage(
        "INSERT INTO feed.log (relation, op, actor, db_user, pid) VALUES ('tasks', 'truncate', 'x', 'x', 1)", {"back"}
    ),
    "log: a truncate invented, then captured": Damage(
        "INSERT INTO feed.log (relation, op, actor, db_user, pid) VALUES ('tasks', 'truncate', 'x', 'x', 1)",
        {"hole"},
        "UPDATE tasks SET n = 7",
    ),
    "log: a partition in the middle dropped": Damage("DROP TABLE feed.log_2", {"hole"}),
    "log: a partition in the middle detached": Damage("ALTER TABLE feed.log DETACH PARTITION feed.log_2", {"hole"}),
    "log: the oldest partition dropped": Damage("DROP TABLE feed.log_1", {"hole"}),
    "log: a partition emptied": Damage("DELETE FROM feed.log_2", {"hole"}),
}


async def kinds(conn: Plain, *, of: tuple[str, ...] = ()) -> set[str]:
    """The kinds of findings in the order of the log and in these tables, or in all."""
    found = {one.what for one in await verify.verify_order(conn)}
    for table in await verify.tables(conn):
        if of and table.name not in of:
            continue
        async for part in verify.verify(conn, table, part=2):
            found |= {one.what for one in part.findings}
    return found


LARGE: LiteralString = "ALTER TABLE tasks ALTER notes SET DEFAULT repeat('long', 1000)"
"""The log then has only the changed columns of most changes."""
WHOLE: LiteralString = "(SELECT min(seq) FROM feed.log_2 WHERE relation = 'tasks' AND key = '2')"
DAMAGES_OF_LARGE_ROWS = {
    "a changed column altered": Damage(
        f'UPDATE feed.log SET new = new || \'{{"name": "x"}}\' WHERE seq = {UPDATE}', {"damaged"}
    ),
    "a changed column altered in both images": Damage(
        f'UPDATE feed.log SET old = old || \'{{"name": "x"}}\', new = new || \'{{"name": "y"}}\' WHERE seq = {UPDATE}',
        {"hole"},
    ),
    "the newest changed column altered": Damage(
        f"UPDATE feed.log SET new = new || '{{\"n\": 9}}' WHERE seq = {NEWEST}", {"damaged"}
    ),
    "the hash altered": Damage(f"UPDATE feed.log SET image_hash = image_hash + 1 WHERE seq = {UPDATE}", {"damaged"}),
    "the hash removed": Damage(f"UPDATE feed.log SET image_hash = NULL WHERE seq = {UPDATE}", {"damaged"}),
    "a part said to be whole": Damage(f"UPDATE feed.log SET delta = NULL WHERE seq = {UPDATE}", {"damaged"}),
    "a part said to be whole after the change": Damage(
        f"UPDATE feed.log SET delta = 0 WHERE seq = {UPDATE}", {"damaged"}
    ),
    "the newest part said to be whole": Damage(f"UPDATE feed.log SET delta = NULL WHERE seq = {NEWEST}", {"damaged"}),
    "a whole row said to be a part": Damage(f"UPDATE feed.log SET delta = 1 WHERE seq = {WHOLE}", {"damaged"}),
    "an insert said to be a part": Damage(f"UPDATE feed.log SET delta = 1 WHERE seq = {FIRST}", {"damaged"}),
    "the whole row before parts deleted": Damage(f"DELETE FROM feed.log WHERE seq = {WHOLE}", {"hole"}),
    "a column of a whole row altered": Damage(
        f'UPDATE feed.log SET new = new || \'{{"notes": "x"}}\' WHERE seq = {WHOLE}', {"hole"}
    ),
    "a column of a whole row removed": Damage(
        f"UPDATE feed.log SET new = new - 'notes' WHERE seq = {WHOLE}", {"damaged"}
    ),
}


@pytest.fixture(scope="module")
async def small(server: EmbeddedPostgres, template: str) -> AsyncIterator[Plain]:
    with cloned(server, template) as database:
        async with prepared(database, SETUP) as conn:
            yield conn


@pytest.fixture(scope="module")
async def large(server: EmbeddedPostgres, template: str) -> AsyncIterator[Plain]:
    with cloned(server, template) as database:
        async with prepared(database, (SETUP[0], LARGE, *SETUP[1:])) as conn:
            yield conn


@asynccontextmanager
async def prepared(database: Database, setup: tuple[LiteralString, ...]) -> AsyncIterator[Plain]:
    """A connection to a log without damage. Each test rolls its damage back."""
    async with await database.connect() as db:
        await add_rows(db)
        for statement in setup:
            await db.execute(statement)
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True, options=with_settings({})) as conn:
        assert await kinds(conn) == set()
        yield conn


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_damage_is_found(small: Plain, damage: Damage) -> None:
    await damage_is_found(small, damage)


@pytest.mark.parametrize(
    "damage", (DAMAGES | DAMAGES_OF_LARGE_ROWS).values(), ids=(DAMAGES | DAMAGES_OF_LARGE_ROWS).keys()
)
async def test_damage_of_large_rows_is_found(large: Plain, damage: Damage) -> None:
    await damage_is_found(large, damage)


async def damage_is_found(conn: Plain, damage: Damage) -> None:
    async with conn.transaction(force_rollback=True):
        async with bypass_triggers(conn):
            await conn.execute(damage.statement.encode())
        if damage.then:
            await conn.execute(damage.then)
        assert await kinds(conn, of=("tasks", "opportunities")) & damage.kinds


@pytest.mark.parametrize("notes", ["short", "long" * 1000])
async def test_what_an_application_does_is_no_damage(db: Connection, conn: Plain, notes: str) -> None:
    for statement in SETUP:
        await db.execute(statement)
    await db.execute("UPDATE tasks SET notes = %s", (notes,))
    changes: tuple[LiteralString, ...] = (
        "ALTER TABLE tasks ADD COLUMN done boolean NOT NULL DEFAULT false",
        "UPDATE tasks SET n = 8",
        "ALTER TABLE tasks DROP COLUMN done",
        "UPDATE tasks SET n = 9",
        "ALTER TABLE tasks ALTER n TYPE text",
        "UPDATE tasks SET name = 'Six'",
        "ALTER TABLE tasks RENAME name TO title",
        "UPDATE tasks SET title = 'Seven'",
        "TRUNCATE tasks",
        "INSERT INTO tasks VALUES (1, NULL, 'x', '1', repeat('x', 3000)), (2, 'b1', 'y', '2', 'z')",
        "UPDATE tasks SET title = 'Seven and a half'",
        "UPDATE tasks SET id = id + 10",
        "UPDATE tasks SET board_id = 'b2'",
        "WITH gone AS (DELETE FROM tasks RETURNING *) INSERT INTO tasks SELECT * FROM gone",
        "INSERT INTO tasks VALUES (11, 'b3', 'z') ON CONFLICT (id) DO UPDATE SET title = excluded.title",
        "SELECT feed.attach('tasks', key => 'id')",
        "UPDATE tasks SET title = 'Eight'",
        """DO $$ BEGIN UPDATE tasks SET title = 'Nine';
        BEGIN UPDATE tasks SET title = 'Ten'; EXCEPTION WHEN others THEN NULL; END; END $$""",
    )
    for change in changes:
        await db.execute(change)
        assert await kinds(conn) == set(), change


@pytest.mark.parametrize("setup", [SETUP, (SETUP[0], LARGE, *SETUP[1:])], ids=["small", "large"])
async def test_a_pruned_log_is_no_damage(db: Connection, conn: Plain, setup: tuple[LiteralString, ...]) -> None:
    for statement in setup:
        await db.execute(statement)
    while await value(db, "SELECT (feed.prune(now() + interval '1 day')).partition"):
        assert await kinds(conn) == set()
    assert await rows(db, "SELECT FROM feed.log") != []
