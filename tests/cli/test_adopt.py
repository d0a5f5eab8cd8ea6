"""`boardcast adopt` makes an application's own table the board, or says all that is wrong with the columns that it was given."""

import json

import pytest

from cli.failures import DATABASE, USAGE
from tests.cli.harness import Commands
from tests.support.database import Database

APPLICATION = (
    "CREATE SCHEMA crm;"
    "CREATE TABLE crm.staff (staff_no integer PRIMARY KEY, login text);"
    "CREATE TABLE crm.deals (deal_id integer PRIMARY KEY, stage text, pipeline_id integer, name text, sales_rep integer);"
    "INSERT INTO crm.staff VALUES (1, 'ana'); INSERT INTO crm.deals VALUES (1, 'new', 7, 'First', 1);"
)
OPTIONS = ("--stage", "stage", "--board", "pipeline_id", "--title", "name", "--owner", "sales_rep")
USERS = ("--users", "crm.staff", "--user-name", "login")


@pytest.fixture
async def application(commands: Commands, empty_database: Database) -> Commands:
    await empty_database.execute(APPLICATION)
    commands.env["DATABASE_URL"] = empty_database.url
    return commands


async def test_a_table_of_the_application_is_the_board(application: Commands, empty_database: Database) -> None:
    printed = application.output("adopt", "crm.deals", *OPTIONS, *USERS).splitlines()
    assert "created board 7" in printed
    assert printed[-1].startswith("the board is crm.deals; id: deal_id, ")
    again = json.loads(application.output("adopt", "crm.deals", *OPTIONS, "--json"))
    columns = {"id": "deal_id", "board_id": "pipeline_id", "phase": "stage", "title": "name", "owner_id": "sales_rep"}
    assert again == {
        "table": "crm.deals",
        "columns": columns | {"position": "position", "version_number": "version_number"},
        "users": "crm.staff",
        "user_columns": {"id": "staff_no", "name": "login"},
        "done": [],
    }
    await empty_database.execute("UPDATE crm.deals SET stage = 'won'")
    line = application.output("log", "--table", "crm.deals")
    assert "update opportunities “First” 1  stage: new -> won" in line
    assert json.loads(application.output("migrate", "--json"))["mended"] == ["added stage won to board 7"]
    assert json.loads(application.output("migrate", "--json"))["mended"] == []
    assert application.run("verify").returncode == 0


async def test_the_columns_can_be_changed(application: Commands, empty_database: Database) -> None:
    application.output("adopt", "crm.deals", *OPTIONS)
    await empty_database.execute("ALTER TABLE crm.deals ADD COLUMN status text NOT NULL DEFAULT 'open'")
    changed = application.output("adopt", "crm.deals", "--stage", "status").splitlines()
    assert changed[0] == "changed the columns of crm.deals; clients load their boards again"
    (board,) = await empty_database.execute(
        "SELECT jsonb_path_query_array(phases, '$[*].id') AS phases FROM feed.boards"
    )
    assert board["phases"] == ["new", "open"]


async def test_each_problem_is_one_line_and_nothing_is_changed(application: Commands, empty_database: Database) -> None:
    status, message = application.fails(
        "adopt", "crm.deals", "--stage", "stge", "--title", "pipeline_id", "--board", "pipeline_id", "--users", "nobody"
    )
    assert status == DATABASE
    assert message.startswith("database error: table crm.deals cannot be the board: ")
    for part in (
        "it has no column stge",
        "column pipeline_id is named for board_id and title",
        "there is no table or view nobody",
    ):
        assert part in message
    assert await empty_database.execute("SELECT to_regnamespace('feed') IS NULL AS nothing") == [{"nothing": True}]
    assert application.fails("adopt", "no such.table")[0] == DATABASE
    assert application.fails("adopt", "crm.deals", "--phase", "stage")[0] == USAGE
    assert application.fails("adopt")[0] == USAGE


async def test_another_table_is_refused_while_there_is_a_board(application: Commands, empty_database: Database) -> None:
    application.output("adopt", "crm.deals", *OPTIONS)
    await empty_database.execute("CREATE TABLE leads (id integer PRIMARY KEY)")
    status, message = application.fails("adopt", "leads")
    assert (status, "the board is table crm.deals already" in message) == (DATABASE, True)
    assert "boardcast migrate --down" in message


async def test_the_check_changes_nothing(application: Commands, empty_database: Database) -> None:
    lines = application.output("adopt", "crm.deals", *OPTIONS, *USERS, "--check").splitlines()
    assert lines[-1] == "nothing stands in the way"
    assert "would create index feed_opportunities_board_id on crm.deals (pipeline_id)" in lines
    assert any(line.startswith("lock on crm.deals, crm.staff: ACCESS EXCLUSIVE") for line in lines)
    done = application.run("adopt", "crm.deals", "--stage", "stge", "--users", "nobody", "--check")
    assert done.returncode == DATABASE
    assert done.stdout.splitlines() == [
        "in the way: it has no column stge; its columns are deal_id, stage, pipeline_id, name, sales_rep",
        "in the way: there is no table or view nobody",
    ]
    assert await empty_database.execute("SELECT to_regnamespace('feed') IS NULL AS nothing") == [{"nothing": True}]
    application.output("adopt", "crm.deals", *OPTIONS, *USERS)
    assert application.output("adopt", "crm.deals", "--check").splitlines()[-1] == "there is nothing to do"


async def test_a_migration_is_checked(application: Commands, empty_database: Database) -> None:
    found = json.loads(application.output("migrate", "--check", "--json"))
    assert found["obstacles"] == found["locks"] == []
    assert any("create table public.opportunities" in step for step in found["steps"])
    await empty_database.execute("CREATE SCHEMA feed; CREATE VIEW opportunities AS SELECT 1 AS id")
    done = application.run("migrate", "--check", "--json")
    assert (done.returncode, json.loads(done.stdout)["steps"]) == (DATABASE, [])
    assert len(json.loads(done.stdout)["obstacles"]) == 2
    assert application.fails("migrate", "--check", "--down")[0] == USAGE


async def test_a_table_is_adopted_after_the_feed_alone_was_installed(
    application: Commands, empty_database: Database
) -> None:
    await empty_database.execute("CREATE TABLE opportunities (id integer PRIMARY KEY, title text)")
    application.output("migrate", "--feed-only")
    assert (
        application.output("adopt", "opportunities").splitlines()[-1].startswith("the board is opportunities; id: id")
    )
    assert application.run("verify").returncode == 0
