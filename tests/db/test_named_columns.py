"""A board with the application's own names: every read of the log translates them alike, and they may change at any time."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, LiteralString

import orjson
import pytest
from psycopg.conninfo import conninfo_to_dict

from db import migrate
from db.changelog.changes import Change, read_changes
from db.changelog.positions import Seen
from db.changelog.prefetch import prefetch_query, prefetch_result, prepare_prefetch
from db.connection import Connection as Plain
from db.embedded.binaries import find_binaries
from feed.wire.cursor import parse_snapshot
from tests.db.support import Connection, rows, value
from tests.db.test_adoption import dump
from tests.support.database import Database

pytestmark = pytest.mark.any_version

APPLICATION: LiteralString = """
    CREATE SCHEMA crm;
    CREATE TABLE crm.deals (
        gone text, deal_id integer PRIMARY KEY, step integer NOT NULL DEFAULT 1, pipeline text, label text, title text, memo text
    );
    ALTER TABLE crm.deals DROP COLUMN gone;
    INSERT INTO crm.deals (deal_id, pipeline, label) VALUES (1, 'eu', 'First'), (2, 'us', 'Second');
"""
COLUMNS = {"phase": "step", "board_id": "pipeline", "title": "label", "notes": "memo"}


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    async with await empty_database.connect() as conn:
        await conn.execute(APPLICATION)
        migrate.adopt(empty_database.url, "crm.deals", COLUMNS)
        yield conn


def run(arguments: Sequence[str | Path], environment: Mapping[str, str], given: bytes = b"") -> bytes:
    return subprocess.run(arguments, env=environment, input=given, capture_output=True, check=True, timeout=60).stdout


async def start(app: Connection) -> Seen:
    return parse_snapshot(await value(app, "SELECT pg_current_snapshot()::text"))


async def read(database: Database, since: Seen, *, collapsed: bool = False) -> list[Change]:
    async with await Plain.connect(database.url, autocommit=True) as conn:
        parts = read_changes(conn, since, collapsed=collapsed, threshold=10**6, chunk=1000)
        async with aclosing(parts) as chunks:
            return [change async for chunk in chunks for change in chunk.changes]


async def prefetch(database: Database, since: Seen) -> list[Change] | None:
    async with await Plain.connect(database.url, autocommit=True) as conn:
        await prepare_prefetch(conn)
        name, arguments = prefetch_query(since, 100)
        statement = b"EXECUTE %b (%b)" % (name, b", ".join(b"'%b'" % argument for argument in arguments))
        chunk = prefetch_result(await (await conn.execute(statement)).fetchall(), 100)
        return None if chunk is None else chunk.changes


def body(change: Change) -> Any:
    return orjson.loads(change.body or "null")


@pytest.mark.parametrize("memo", [10, 3000, 100_000], ids=["small", "compact", "large"])
async def test_every_read_of_the_log_has_the_names_of_the_protocol(
    app: Connection, empty_database: Database, memo: int
) -> None:
    # PostgreSQL compresses what repeats.
    text = "SELECT string_agg(md5(i::text), '') FROM generate_series(1, %s) AS i"
    await app.execute(f"UPDATE crm.deals SET memo = left(({text}), %s)".encode(), [memo // 32 + 1, memo])  # noqa: S608
    since = await start(app)
    await app.execute("UPDATE crm.deals SET label = 'Renamed', title = 'Mr.' WHERE deal_id = 1")
    await app.execute("UPDATE crm.deals SET step = 2 WHERE deal_id = 1")
    await app.execute("UPDATE crm.deals SET pipeline = 'us' WHERE deal_id = 1")
    await app.execute(
        "INSERT INTO crm.deals (deal_id, pipeline, label, memo) SELECT 3, 'eu', 'Third', memo FROM crm.deals LIMIT 1"
    )
    changes = await read(empty_database, since)
    assert [change.op for change in changes] == ["update", "update", "leave", "enter", "insert"]
    renamed, moved, _, entered, inserted = changes
    assert body(renamed) == {"title": "Renamed", "version_number": 3}
    assert body(moved) == {"phase": "2", "version_number": 4}
    assert (moved.from_phase, moved.to_phase) == ("1", "2")
    assert renamed.from_phase == renamed.to_phase
    for change, title, board in ((entered, "Renamed", "us"), (inserted, "Third", "eu")):
        card = body(change)
        assert (card["title"], card["board_id"], len(card["notes"])) == (title, board, memo)
        assert not {"label", "memo", "step", "pipeline"} & card.keys()
    prefetched = await prefetch(empty_database, since)
    if memo < 65536:
        assert prefetched is not None
        assert [(each.op, body(each), each.from_phase, each.to_phase) for each in prefetched] == [
            (each.op, body(each), each.from_phase, each.to_phase) for each in changes
        ]
    collapsed = {(each.key, each.op): each for each in await read(empty_database, since, collapsed=True)}
    assert body(collapsed["1", "enter"])["title"] == "Renamed"
    assert body(collapsed["3", "insert"])["phase"] == "1"
    # The snapshot of a board has the same card.
    cards = {
        each["id"]: each["body"] for each in await rows(app, "SELECT id, body FROM feed.opportunities_on('{us,eu}')")
    }
    assert cards["1"] == body(entered)
    assert cards["3"] == body(inserted)


async def test_a_collapsed_update_has_its_first_and_last_stage(app: Connection, empty_database: Database) -> None:
    since = await start(app)
    await app.execute("UPDATE crm.deals SET step = 2 WHERE deal_id = 1")
    await app.execute("ALTER TABLE crm.deals RENAME COLUMN step TO stage")
    await app.execute("UPDATE crm.deals SET stage = 3 WHERE deal_id = 1")
    (change,) = await read(empty_database, since, collapsed=True)
    assert (change.from_phase, change.to_phase, body(change)["phase"]) == ("1", "3", "3")


async def test_names_from_between_two_migrations_are_known(app: Connection, empty_database: Database) -> None:
    since = await start(app)
    for number, name in enumerate(("stage", "status", "state"), 2):
        old = (await rows(app, "SELECT name FROM feed.field_columns() WHERE field = 'phase'"))[0]["name"]
        await app.execute(f"ALTER TABLE crm.deals RENAME COLUMN {old} TO {name}".encode())
        await app.execute("SELECT feed.maintain()")  # as the services do once a minute
        await app.execute(f"UPDATE crm.deals SET {name} = {number} WHERE deal_id = 1".encode())  # noqa: S608
    changes = await read(empty_database, since)
    assert [(each.from_phase, each.to_phase) for each in changes] == [("1", "2"), ("2", "3"), ("3", "4")]


@pytest.mark.parametrize("role", ["feed_app", "feed_listener", "feed_dba"])
async def test_the_services_roles_read_it(app: Connection, empty_database: Database, role: str) -> None:
    since = await start(app)
    await app.execute("UPDATE crm.deals SET step = 2 WHERE deal_id = 1")
    async with await Plain.connect(empty_database.url, autocommit=True) as conn:
        await conn.execute(f"SET ROLE {role}".encode())
        await prepare_prefetch(conn)
        async with aclosing(read_changes(conn, since, threshold=10, chunk=10)) as chunks:
            found = [change async for chunk in chunks for change in chunk.changes]
        assert body(found[0])["phase"] == "2"
        cards = await (await conn.execute("SELECT body ->> 'phase' FROM feed.opportunities_on('{eu}')")).fetchall()
        assert cards == [("2",)]


async def test_a_restored_dump_has_the_same_mapping(
    app: Connection, empty_database: Database, other_database: Database, binaries: Path | None
) -> None:
    # The number of each column is another one in the copy, because a column was dropped.
    await app.execute("CREATE TABLE tasks (gone text, id int PRIMARY KEY, team text, secret text, other text)")
    await app.execute(
        "ALTER TABLE tasks DROP COLUMN gone; SELECT feed.attach('tasks', board => 'team', exclude => '{secret}')"
    )
    tools = binaries or find_binaries()
    await app.execute("UPDATE crm.deals SET step = 5 WHERE deal_id = 1")
    target = conninfo_to_dict(other_database.url)
    environment = {"PGPASSWORD": str(target["password"]), "LC_ALL": "C", "PATH": os.environ["PATH"]}
    url, copy = (each.url.replace(f":{target['password']}@", "@") for each in (empty_database, other_database))
    async with await other_database.connect() as conn:
        await conn.execute("DROP SCHEMA feed CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    dumped = await asyncio.to_thread(run, [tools / "pg_dump", url], environment)
    await asyncio.to_thread(run, [tools / "psql", "-q", "-v", "ON_ERROR_STOP=1", copy], environment, dumped)
    async with await other_database.connect() as conn:
        mapped = "SELECT field, name FROM feed.field_columns() ORDER BY field"
        assert await rows(conn, mapped) == await rows(app, mapped)
        attached = "SELECT name, state, key, board, excluded FROM feed.attached_tables ORDER BY name"
        assert await rows(conn, attached) == await rows(app, attached)
        assert [line for line in migrate.mend(other_database.url) if line.startswith("attached")] == []
        assert await rows(conn, mapped) == await rows(app, mapped)
        await conn.execute(
            "ALTER TABLE tasks RENAME COLUMN secret TO hidden; INSERT INTO tasks VALUES (1, 'red', 'x', 'y')"
        )
        (logged,) = await rows(conn, "SELECT key, board, new FROM feed.log WHERE relation = 'tasks'")
        assert logged == {"key": "1", "board": "red", "new": {"id": 1, "team": "red", "other": "y"}}
        await conn.execute(
            "ALTER TABLE crm.deals RENAME COLUMN step TO stage; ALTER TABLE crm.deals RENAME COLUMN pipeline TO funnel"
        )
        found = await rows(conn, "SELECT body ->> 'phase' AS phase FROM feed.opportunities_on('{eu}')")
        assert found == [{"phase": "5"}]


DROPPED = {
    "step": ("phase", "cards have no stage"),
    "label": ("title", None),  # the application's own column title stands in
    "pipeline": ("board_id", "all cards are on one board"),
}


@pytest.mark.parametrize("column", DROPPED)
async def test_a_column_of_a_field_may_be_dropped(app: Connection, empty_database: Database, column: str) -> None:
    field, effect = DROPPED[column]
    await app.execute(f"ALTER TABLE crm.deals DROP COLUMN {column}".encode())
    await app.execute("UPDATE crm.deals SET memo = 'x' WHERE deal_id = 1")
    found = await value(app, "SELECT found FROM feed.health WHERE topic = 'opportunities'")
    assert effect is None or effect in found
    migrate.mend(empty_database.url)
    assert migrate.mend(empty_database.url) == []
    assert await value(app, "SELECT name FROM feed.field_columns() WHERE field = %s", [field]) == field
    topics = "('triggers', 'opportunities', 'indexes', 'tables')"
    assert await rows(app, f"SELECT found FROM feed.health WHERE status <> 'ok' AND topic IN {topics}") == []  # noqa: S608


ALTERATIONS: dict[str, LiteralString] = {
    "another name": "ALTER TABLE crm.deals RENAME TO leads",
    "another schema": "CREATE SCHEMA sales; ALTER TABLE crm.deals SET SCHEMA sales",
    "another type of the stage": "ALTER TABLE crm.deals ALTER COLUMN step DROP DEFAULT, "
    "ALTER COLUMN step TYPE text USING step::text",
    "another type of the board": "ALTER TABLE crm.deals ALTER COLUMN pipeline TYPE varchar(9)",
    "other names of all columns": "ALTER TABLE crm.deals RENAME COLUMN step TO a;"
    "ALTER TABLE crm.deals RENAME COLUMN pipeline TO b; ALTER TABLE crm.deals RENAME COLUMN label TO c;"
    "ALTER TABLE crm.deals RENAME COLUMN deal_id TO d",
}


@pytest.mark.parametrize("name", ALTERATIONS)
async def test_the_table_may_be_altered_and_given_back(
    app: Connection, empty_database: Database, binaries: Path | None, name: str
) -> None:
    await app.execute(ALTERATIONS[name])
    for migrated in (False, True):
        (card,) = await rows(app, "SELECT body FROM feed.opportunities_on('{us}')")
        expected = {"id": "2", "phase": "1", "board_id": "us", "title": "Second"}
        assert {field: card["body"][field] for field in expected} == expected, migrated
        migrate.mend(empty_database.url)
    assert migrate.downgrade(empty_database.url)
    assert "feed" not in dump(empty_database, binaries, "--schema-only")
