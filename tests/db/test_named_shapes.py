"""Which tables can be the board under their own names: the rows of docs/adopting.md about names, one test for each."""
# ruff: noqa: S608 - the statements of a schema are put together from constants

from collections.abc import AsyncIterator
from typing import NamedTuple

import orjson
import pytest
from psycopg import errors
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy.exc import DBAPIError

from db import migrate, opportunities
from db.boards import for_users
from db.changelog.snapshots import read_boards
from db.engine import Origin, create_engine, write
from db.opportunities import Found, Written
from tests.db.support import Connection, newest_seq, rows, value
from tests.support.database import Database

pytestmark = pytest.mark.any_version


class Shape(NamedTuple):
    """`row` are the values of a row that the application inserts, on the board `board` and in the phase `phase`."""

    tables: str
    columns: dict[str, str]
    row: dict[str, object]
    board: str
    phase: str
    other_phase: str
    table: str = "crm.deals"
    users: str | None = None
    user_columns: dict[str, str] = {}  # noqa: RUF012 - never changed
    user: str = "1"


STAFF = "CREATE TABLE public.users (id int PRIMARY KEY, name text); INSERT INTO public.users VALUES (1, 'Ana');"
NAMES = {"phase": "stage", "board_id": "pipeline_id", "title": "name"}
SHAPES = {
    "text": Shape(
        STAFF + "CREATE TABLE crm.deals (deal_id int PRIMARY KEY, stage text, pipeline_id text, name text);"
        "INSERT INTO crm.deals VALUES (1, 'won', 'eu', 'A')",
        NAMES,
        {"deal_id": 2, "stage": "new", "pipeline_id": "eu", "name": "A"},
        *("eu", "new", "won"),
    ),
    "in schema public": Shape(
        STAFF + "CREATE TABLE public.deals (deal_id int PRIMARY KEY, stage text, pipeline_id text, name text);"
        "INSERT INTO deals VALUES (1, 'won', 'eu', 'A')",
        NAMES,
        {"deal_id": 2, "stage": "new", "pipeline_id": "eu", "name": "A"},
        *("eu", "new", "won", "deals"),
    ),
    "beside a table opportunities of another kind": Shape(
        STAFF + "CREATE TABLE public.opportunities (title text);"
        "CREATE TABLE crm.deals (deal_id int PRIMARY KEY, stage text, pipeline_id text, name text);"
        "INSERT INTO crm.deals VALUES (1, 'won', 'eu', 'A')",
        NAMES,
        {"deal_id": 2, "stage": "new", "pipeline_id": "eu", "name": "A"},
        *("eu", "new", "won"),
    ),
    "a foreign key to a table of stages": Shape(
        STAFF + "CREATE TABLE crm.stages (id int PRIMARY KEY); INSERT INTO crm.stages VALUES (10), (20);"
        "CREATE TABLE crm.deals (id bigserial PRIMARY KEY, stage_id int REFERENCES crm.stages, pipeline_id uuid, title text);"
        "INSERT INTO crm.deals (stage_id, pipeline_id, title) VALUES (20, '11111111-1111-1111-1111-111111111111', 'A')",
        {"phase": "stage_id", "board_id": "pipeline_id"},
        {"id": 2, "stage_id": 10, "pipeline_id": "11111111-1111-1111-1111-111111111111", "title": "A"},
        *("11111111-1111-1111-1111-111111111111", "10", "20"),
    ),
    "an enum as stage and no boards": Shape(
        STAFF + "CREATE TYPE crm.stage AS ENUM ('new', 'won');"
        "CREATE TABLE crm.deals (id text PRIMARY KEY, stage crm.stage NOT NULL DEFAULT 'new', name varchar(20));"
        "INSERT INTO crm.deals VALUES ('a', 'won', 'A')",
        {"phase": "stage", "title": "name"},
        {"id": "b", "stage": "new", "name": "A"},
        *("main", "new", "won"),
    ),
    "names that need quotes": Shape(
        STAFF + 'CREATE TABLE crm."Deals" ("Deal No" int PRIMARY KEY, "Stage" text, "%s" text, "na""me" text);'
        """INSERT INTO crm."Deals" VALUES (1, 'won', 'eu', 'A')""",
        {"phase": "Stage", "board_id": "%s", "title": 'na"me'},
        {"Deal No": 2, "Stage": "new", "%s": "eu", 'na"me': "A"},
        *("eu", "new", "won", 'crm."Deals"'),
    ),
    "two names that are swapped": Shape(
        STAFF + "CREATE TABLE crm.deals (id int PRIMARY KEY, title text, phase text, board_id text);"
        "INSERT INTO crm.deals VALUES (1, 'won', 'A', 'eu')",
        {"phase": "title", "title": "phase"},
        {"id": 2, "title": "new", "phase": "A", "board_id": "eu"},
        *("eu", "new", "won"),
    ),
    "names of fields for other things": Shape(
        STAFF
        + "CREATE TABLE crm.deals (id int PRIMARY KEY, phase int DEFAULT 5, stage text, board_id int DEFAULT 6, pipeline text, "
        "title text DEFAULT 'Dr.', name text); INSERT INTO crm.deals (id, stage, pipeline, name) VALUES (1, 'won', 'eu', 'A')",
        {"phase": "stage", "board_id": "pipeline", "title": "name"},
        {"id": 2, "stage": "new", "pipeline": "eu", "name": "A"},
        *("eu", "new", "won"),
    ),
    "a partitioned table": Shape(
        STAFF
        + "CREATE TABLE crm.deals (id int PRIMARY KEY, stage text, pipeline_id text, name text) PARTITION BY HASH (id);"
        "CREATE TABLE crm.deals_1 PARTITION OF crm.deals FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
        "INSERT INTO crm.deals VALUES (1, 'won', 'eu', 'A')",
        NAMES,
        {"id": 2, "stage": "new", "pipeline_id": "eu", "name": "A"},
        *("eu", "new", "won"),
    ),
    "opportunities with one other name": Shape(
        STAFF + "CREATE TABLE public.opportunities (id int PRIMARY KEY, stage text, title text);"
        "INSERT INTO opportunities VALUES (1, 'won', 'A')",
        {"phase": "stage"},
        {"id": 2, "stage": "new", "title": "A"},
        *("main", "new", "won", "opportunities"),
    ),
    "a stage that is a number under our name": Shape(
        STAFF
        + "CREATE TABLE crm.deals (id int PRIMARY KEY, phase int, title text); INSERT INTO crm.deals VALUES (1, 20, 'A')",
        {},
        {"id": 2, "phase": 10, "title": "A"},
        *("main", "10", "20"),
    ),
    "users in another schema": Shape(
        "CREATE SCHEMA auth; CREATE TABLE auth.users (uid uuid PRIMARY KEY, email text, secret text);"
        "INSERT INTO auth.users VALUES ('11111111-1111-1111-1111-111111111111', 'ana@example.com', 's');"
        "CREATE TABLE crm.deals (id int PRIMARY KEY, stage text, pipeline_id text, name text);"
        "INSERT INTO crm.deals VALUES (1, 'won', 'eu', 'A')",
        NAMES,
        {"id": 2, "stage": "new", "pipeline_id": "eu", "name": "A"},
        *("eu", "new", "won", "crm.deals", "auth.users", {"name": "email"}, "11111111-1111-1111-1111-111111111111"),
    ),
    "users by a unique column, from a view": Shape(
        "CREATE TABLE crm.people (no int PRIMARY KEY, login text UNIQUE NOT NULL);"
        "CREATE VIEW crm.logins AS SELECT login, initcap(login) AS label FROM crm.people; INSERT INTO crm.people VALUES (1, 'ana');"
        "CREATE TABLE crm.deals (id int PRIMARY KEY, stage text, pipeline_id text, name text);"
        "INSERT INTO crm.deals VALUES (1, 'won', 'eu', 'A')",
        NAMES,
        {"id": 2, "stage": "new", "pipeline_id": "eu", "name": "A"},
        *("eu", "new", "won", "crm.deals", "crm.logins", {"id": "login", "name": "label"}, "ana"),
    ),
}


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    async with await empty_database.connect() as conn:
        await conn.execute("CREATE SCHEMA crm")
        yield conn


def adopt(database: Database, shape: Shape) -> list[str]:
    return migrate.adopt(database.url, shape.table, shape.columns, users=shape.users, user_columns=shape.user_columns)


@pytest.mark.parametrize("name", SHAPES)
async def test_a_table_is_the_board_under_its_own_names(app: Connection, empty_database: Database, name: str) -> None:
    shape = SHAPES[name]
    await app.execute(shape.tables.encode())
    adopt(empty_database, shape)
    assert migrate.mend(empty_database.url) == []
    assert adopt(empty_database, shape) == []
    phases = await value(
        app, "SELECT jsonb_path_query_array(phases, '$[*].id') FROM feed.boards WHERE id = %s", [shape.board]
    )
    assert phases == [shape.other_phase]
    await app.execute("UPDATE feed.boards SET phases = phases || %s", [f'[{{"id": "{shape.phase}"}}]'])

    before = await newest_seq(app)
    names = SQL(", ").join(map(Identifier, shape.row))
    values = SQL(", ").join(map(Literal, shape.row.values()))
    await app.execute(SQL("INSERT INTO {} ({}) VALUES ({})").format(SQL(shape.table), names, values))
    (logged,) = await rows(app, "SELECT relation, key, board, new FROM feed.log WHERE seq > %s", [before])
    assert (logged["relation"], logged["board"]) == ("opportunities", shape.board)
    # The log has the names of the application.
    assert {column: logged["new"][column] for column in shape.row} == shape.row

    engine = create_engine(empty_database.url, size=1)
    async with write(engine, actor=shape.user, origin=Origin("api")) as conn:
        assert shape.board in [each.id for each in (await for_users(conn, [shape.user]))[shape.user]]
        snapshot = (await read_boards(conn, [shape.board]))[shape.board]
        card = next(each for each in orjson.loads(snapshot.opportunities) if each["id"] == logged["key"])
        assert (card["phase"], card["title"], card["board_id"]) == (shape.phase, "A", shape.board)
        assert not (shape.columns.keys() ^ set(shape.columns.values())) & set(shape.columns.values()) & card.keys()
        found = await opportunities.get(conn, logged["key"], shape.user)
        assert isinstance(found, Found)
        assert (found.phase, found.version) == (shape.phase, 1)
        written = await opportunities.update(conn, found, 1, shape.user, {"phase": shape.other_phase, "title": "B"})
        assert isinstance(written, Written)
        card = orjson.loads(written.body)
        assert (card["phase"], card["title"], card["version_number"]) == (shape.other_phase, "B", 2)
        found = await opportunities.get(conn, logged["key"], shape.user)
        assert found is not None
        assert await opportunities.delete(conn, found, 2) is not None
    await engine.dispose()
    updated = await value(app, "SELECT new FROM feed.log WHERE seq > %s AND op = 'update'", [before])
    phase, title = shape.columns.get("phase", "phase"), shape.columns.get("title", "title")
    assert (str(updated[phase]), updated[title]) == (shape.other_phase, "B")
    unwell = await rows(
        app,
        "SELECT topic, found FROM feed.health WHERE status <> 'ok' AND topic IN ('triggers', 'opportunities', 'indexes', 'tables')",
    )
    assert unwell == []
    assert migrate.downgrade(empty_database.url)


async def test_the_services_read_only_two_columns_of_users(app: Connection, empty_database: Database) -> None:
    shape = SHAPES["users in another schema"]
    await app.execute(shape.tables.encode())
    assert "granted SELECT (uid, email) on auth.users to feed_app" in adopt(empty_database, shape)
    await app.execute("SET ROLE feed_app")
    assert await rows(app, "SELECT name FROM feed.user_names(%s)", [[shape.user]]) == [{"name": "ana@example.com"}]
    with pytest.raises(errors.InsufficientPrivilege):
        await app.execute("SELECT secret FROM auth.users")
    await app.execute("RESET ROLE")
    await app.execute("ALTER TABLE auth.users RENAME COLUMN email TO mail")
    assert migrate.mend(empty_database.url) == ["noted that column email is now mail"]


DEALS = (
    "CREATE TABLE crm.deals (deal_id int PRIMARY KEY, stage text, pipeline_id text, name text, price money, data jsonb,"
    " tags text[], made timestamptz, version_number int, twice text GENERATED ALWAYS AS (name) STORED);"
    "CREATE TABLE crm.staff (no int PRIMARY KEY, login text, name text);"
)
REFUSED: dict[str, tuple[str, str, dict[str, str], str | None, dict[str, str], list[str]]] = {
    "no such table": ("", "crm.dials", NAMES, None, {}, ["there is no table crm.dials"]),
    "several faults at once": (
        *("", "crm.deals", {"phase": "stge", "title": "pipeline_id", "board_id": "pipeline_id", "value": "price"}),
        *("crm.staf", {"id": "no"}),
        [
            "it has no column stge; its columns are deal_id, stage, ",
            "column pipeline_id is named for board_id and title",
            "column price is of type money, but the value has to be a number",
            "there is no table or view crm.staf",
        ],
    ),
    "types": (
        *(
            "",
            "crm.deals",
            {"phase": "data", "title": "made", "owner_id": "tags", "position": "made", "expected_close_date": "name"},
        ),
        *(None, {}),
        [
            "column data is of type jsonb, but the phase has to be",
            "column tags is of type text[], but the owner_id has to be",
            "but the position has to be a text or a number",
            "column name is of type text, but the expected_close_date has to be a date or a time",
            "but the title has to be a text",
            "column made is named for position and title",
        ],
    ),
    "the key and a column of boardcast": (
        *("", "crm.deals", {"title": "deal_id", "value": "version_number"}, None, {}),
        ["column deal_id is the key, so it cannot be the title", "column version_number is set by boardcast"],
    ),
    "an unknown field": (
        "",
        "crm.deals",
        {"stage": "stage"},
        None,
        {},
        ["there is no field stage; the fields are board_id, "],
    ),
    "no primary key": (
        *("ALTER TABLE crm.deals DROP CONSTRAINT deals_pkey", "crm.deals", {"phase": "nope"}, None, {}),
        ["no primary key of one column", "it has no column nope"],
    ),
    "a view": ("CREATE VIEW crm.v AS SELECT * FROM crm.deals", "crm.v", NAMES, None, {}, ["is a view, not a table"]),
    "boards that have no URL": (
        *("INSERT INTO crm.deals VALUES (1, 'new', 'a,b')", "crm.deals", NAMES, None, {}),
        ["column pipeline_id has the value 'a,b'"],
    ),
    "users": (
        *("", "crm.deals", NAMES, "crm.staff", {"id": "login", "name": "nobody", "mail": "x"}),
        [
            "crm.staff has no column nobody",
            "there is no field mail of users",
            "key (login) of table crm.staff does not identify every row: login may be null",
        ],
    ),
    "columns of no users": ("", "crm.deals", NAMES, None, {"name": "login"}, ["but no table of users"]),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_all_problems_are_reported_at_once_and_nothing_is_changed(
    app: Connection, empty_database: Database, name: str
) -> None:
    more, table, columns, users, user_columns, reasons = REFUSED[name]
    await app.execute((DEALS + more).encode())
    with pytest.raises((errors.Error, DBAPIError)) as refusal:
        migrate.adopt(empty_database.url, table, columns, users=users, user_columns=user_columns)
    for reason in reasons:
        assert reason in str(refusal.value)
    assert await value(app, "SELECT to_regnamespace('feed') IS NULL")


async def test_a_database_has_one_board(app: Connection, empty_database: Database) -> None:
    await app.execute(DEALS.encode())
    migrate.upgrade(empty_database.url)
    with pytest.raises(
        DBAPIError, match=r"the board is table (public\.)?opportunities already.*boardcast migrate --down, which drops"
    ):
        migrate.adopt(empty_database.url, "crm.deals", NAMES)
    assert migrate.downgrade(empty_database.url)
    assert migrate.adopt(empty_database.url, "crm.deals", NAMES)


async def test_an_attached_table_is_detached_first(app: Connection, empty_database: Database) -> None:
    await app.execute(DEALS.encode())
    migrate.upgrade(empty_database.url, feed_only=True)
    await app.execute("SELECT feed.attach('crm.deals', board => 'pipeline_id')")
    with pytest.raises(DBAPIError, match=r"boardcast detach crm\.deals"):
        migrate.adopt(empty_database.url, "crm.deals", NAMES)
    await app.execute("SELECT feed.detach('crm.deals')")
    migrate.adopt(empty_database.url, "crm.deals", NAMES)
    await app.execute("INSERT INTO crm.deals VALUES (1, 'new', 'eu', 'A')")
    assert await value(app, "SELECT relation FROM feed.log ORDER BY seq DESC LIMIT 1") == "opportunities"


async def test_it_needs_no_superuser(db: Connection, app: Connection, empty_database: Database) -> None:
    await app.execute(DEALS.encode())
    await app.execute("CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY, email text)")
    owner = f"{empty_database.name}_owner"
    await app.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'x' CREATEROLE").format(Identifier(owner)))
    await app.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(empty_database.name), Identifier(owner)))
    await app.execute(SQL("GRANT feed_owner, feed_sandbox TO {}").format(Identifier(owner)))
    await app.execute(SQL("ALTER TABLE crm.deals OWNER TO {}").format(Identifier(owner)))
    await app.execute(SQL("GRANT USAGE, CREATE ON SCHEMA crm, auth TO {}").format(Identifier(owner)))
    await app.execute(SQL("GRANT SELECT ON auth.users TO {}").format(Identifier(owner)))
    url = f"postgresql://{owner}:x@{empty_database.url.rpartition('@')[2]}"
    with pytest.raises(DBAPIError) as refusal:
        migrate.adopt(url, "crm.deals", NAMES, users="auth.users")
    for reason in ("schema crm is owned by", "schema auth is owned by", "WITH GRANT OPTION", "auth.users is owned by"):
        assert reason in str(refusal.value)
    await app.execute(SQL("GRANT USAGE ON SCHEMA crm TO {} WITH GRANT OPTION").format(Identifier(owner)))
    await app.execute(SQL("SET ROLE {}").format(Identifier(owner)))
    await app.execute("CREATE VIEW crm.people AS SELECT id, email FROM auth.users")
    await app.execute("RESET ROLE")
    assert "added column position" in migrate.adopt(
        url, "crm.deals", NAMES, users="crm.people", user_columns={"name": "email"}
    )
    assert migrate.mend(url) == []
    await app.execute("SET ROLE feed_app")
    assert await value(app, "SELECT count(*) FROM feed.opportunities_on('{eu}')") == 0
    await app.execute("RESET ROLE")
    assert migrate.downgrade(url)
    assert await value(app, "SELECT nspacl::text LIKE '%feed_app%' FROM pg_namespace WHERE nspname = 'crm'") is False
    # A role that is left behind could read the feeds of other tests.
    await app.execute(SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(Identifier(empty_database.name)))
    await app.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(owner)))
    await app.execute(SQL("DROP ROLE {}").format(Identifier(owner)))
