"""A migration adds the stages that appeared later to the boards of an application's table, and leaves those that people changed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from db import migrate
from db.migration_check import check
from tests.db.support import Connection, newest_seq, rows, value
from tests.support.database import Database


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    async with await empty_database.connect() as conn:
        await conn.execute(
            "CREATE SCHEMA crm; CREATE TABLE crm.deals (id integer PRIMARY KEY, stage text, pipeline text)"
        )
        await conn.execute("INSERT INTO crm.deals VALUES (1, 'new', 'eu'), (2, 'won', 'eu'), (3, 'new', 'us')")
        migrate.adopt(empty_database.url, "crm.deals", {"phase": "stage", "board_id": "pipeline"})
        yield conn


async def stages(app: Connection) -> dict[str, list[Any]]:
    found = await rows(app, "SELECT id, phases FROM feed.boards ORDER BY id")
    return {
        row["id"]: [stage.get("id") if isinstance(stage, dict) else stage for stage in row["phases"]] for row in found
    }


async def test_stages_that_appeared_later_come_last(app: Connection, empty_database: Database) -> None:
    edited = [
        {"id": "won", "name": "Yes!", "kind": "won"},
        {"id": "new", "name": "Fresh"},
        {"id": "later", "name": "Later"},
    ]
    await app.execute("UPDATE feed.boards SET phases = %s WHERE id = 'eu'", [Jsonb(edited)])
    await app.execute(
        "INSERT INTO crm.deals VALUES (4, 'lost', 'eu'), (5, 'asleep', 'eu'), (6, NULL, 'eu'), (8, '', 'eu'), (7, 'new', 'asia')"
    )
    before = await newest_seq(app)
    assert check(empty_database.url).steps == [
        "create board asia, with its stages",
        "add stage asleep to board eu",
        "add stage lost to board eu",
    ]
    assert await newest_seq(app) == before
    assert migrate.mend(empty_database.url) == [
        "created board asia",
        "added stage asleep to board eu",
        "added stage lost to board eu",
    ]
    assert await stages(app) == {"asia": ["new"], "eu": ["won", "new", "later", "asleep", "lost"], "us": ["new"]}
    assert (await rows(app, "SELECT phases FROM feed.boards WHERE id = 'eu'"))[0]["phases"][:3] == edited
    assert (
        await value(
            app, "SELECT count(*) FROM feed.log WHERE seq > %s AND relation = 'feed.boards' AND op = 'update'", [before]
        )
        == 1
    )
    before = await newest_seq(app)
    assert migrate.mend(empty_database.url) == []
    assert await newest_seq(app) == before


async def test_a_stage_without_cards_is_not_brought_back(app: Connection, empty_database: Database) -> None:
    await app.execute("UPDATE crm.deals SET stage = 'new'")
    await app.execute('UPDATE feed.boards SET phases = \'[{"id": "new", "name": "New"}]\'')
    assert migrate.mend(empty_database.url) == []


@pytest.mark.parametrize("phases", ["{}", '"new"', '["new", {"name": "x"}, null, {"id": 7}]'])
async def test_stages_of_another_form_stop_no_migration(app: Connection, empty_database: Database, phases: str) -> None:
    await app.execute("UPDATE feed.boards SET phases = %s::jsonb WHERE id = 'us'", [phases])
    migrate.mend(empty_database.url)
    assert migrate.mend(empty_database.url) == []


@pytest.mark.parametrize("column", ["phase", "board_id"])
async def test_a_column_that_was_dropped_brings_no_stage(empty_database: Database, column: str) -> None:
    async with await empty_database.connect() as app:
        await app.execute("CREATE TABLE opportunities (id integer PRIMARY KEY, title text)")
        await app.execute("INSERT INTO opportunities VALUES (1, 'One'), (2, 'Two')")
        migrate.upgrade(empty_database.url)
        await app.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('other', 'Other', '[]')")
        await app.execute("UPDATE opportunities SET board_id = 'other', phase = 'won' WHERE id = 2")
        await app.execute("UPDATE opportunities SET phase = 'new' WHERE id = 1")
        await app.execute('UPDATE feed.boards SET phases = \'[{"id": "new", "name": "New"}]\' WHERE id = \'main\'')
        await app.execute(f"ALTER TABLE opportunities DROP COLUMN {column}".encode())
        migrate.mend(empty_database.url)
        assert await stages(app) == {"main": ["new"], "other": []}
        migrate.mend(empty_database.url)
        assert await stages(app) == {"main": ["new"], "other": ["won"]}


async def test_numbers_and_names_that_need_quotes(app: Connection, empty_database: Database) -> None:
    await app.execute("""INSERT INTO crm.deals VALUES (4, 'say "hi" \\ $x''', 'eu')""")
    migrate.mend(empty_database.url)
    assert await stages(app) == {"eu": ["new", "won", 'say "hi" \\ $x\''], "us": ["new"]}
    await app.execute("ALTER TABLE crm.deals ALTER stage TYPE integer USING 10 + id")
    migrate.mend(empty_database.url)
    assert (await stages(app))["us"] == ["new", "13"]


async def test_a_table_that_boardcast_created_keeps_its_stages(database: Database) -> None:
    async with await database.connect() as db:
        await db.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')")
        await db.execute("INSERT INTO opportunities (board_id, phase) VALUES ('b1', 'new')")
        assert migrate.mend(database.url) == []
        assert await stages(db) == {"b1": []}
