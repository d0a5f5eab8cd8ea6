"""An application's own table, with its own names, is the board: its clients and the API know only those of the original design."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import psycopg
import pytest

from cli.schema import adopt, upgrade
from db import migrate
from db.changelog.verify import tables, verify, verify_order
from db.connection import Connection
from tests.db.test_adoption import dump
from tests.support.database import Database
from tests.support.services import Services, serving
from tests.support.streams import parse_json

APPLICATION: LiteralString = """
    CREATE SCHEMA crm;
    CREATE TABLE crm.staff (staff_no integer PRIMARY KEY, email text NOT NULL, full_name text);
    CREATE TABLE crm.deals (
        deal_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        stage text NOT NULL DEFAULT 'new',
        pipeline_id integer NOT NULL,
        name varchar(80) NOT NULL,
        title text NOT NULL DEFAULT 'Dr.',
        amount numeric(12, 2),
        sales_rep integer REFERENCES crm.staff (staff_no),
        region text
    );
    INSERT INTO crm.staff VALUES (1, 'ana@example.com', 'Ana'), (2, 'bruno@example.com', 'Bruno');
    INSERT INTO crm.deals (deal_id, stage, pipeline_id, name, amount, sales_rep, region) VALUES
        ('11111111-1111-1111-1111-111111111111', 'new', 7, 'First', 10.50, 1, 'north'),
        ('22222222-2222-2222-2222-222222222222', 'won', 7, 'Second', NULL, NULL, NULL),
        ('33333333-3333-3333-3333-333333333333', 'new', 8, 'Third', 1, 2, NULL);
"""
FIRST = "11111111-1111-1111-1111-111111111111"
COLUMNS = {"phase": "stage", "board_id": "pipeline_id", "title": "name", "value": "amount", "owner_id": "sales_rep"}
USERS = {"id": "staff_no", "name": "full_name"}


def adopt_deals(database: Database, **columns: str) -> list[str]:
    return adopt(database.url, "crm.deals", COLUMNS | columns, users="crm.staff", user_columns=USERS)


@pytest.fixture
def app(empty_database: Database) -> Database:
    with psycopg.connect(empty_database.url, autocommit=True) as conn:
        conn.execute(APPLICATION)
    adopt_deals(empty_database)
    return empty_database


@pytest.fixture
async def services(app: Database) -> AsyncIterator[Services]:
    async with serving(app) as running:
        yield running


async def row(app: Database, id_: str = FIRST) -> dict[str, Any]:
    (found,) = await app.execute("SELECT to_jsonb(d) AS row FROM crm.deals AS d WHERE deal_id = %s", [id_])
    own: dict[str, Any] = found["row"]
    return own


async def found_by_verify(app: Database) -> list[Any]:
    """What verify finds, as `boardcast verify` asks for it."""
    found: list[Any] = []
    async with await Connection.connect(app.url, autocommit=True) as conn:
        for table in await tables(conn):
            found += table.faults
            found += [each async for part in verify(conn, table, part=100) for each in part.findings]
        return found + await verify_order(conn)


async def problems(app: Database) -> list[Any]:
    return await app.execute(
        "SELECT topic, found FROM feed.health WHERE status <> 'ok' AND topic IN"
        " ('triggers', 'tables', 'indexes', 'opportunities', 'ownership')"
    )


async def test_the_boards_are_those_of_the_table(app: Database) -> None:
    found = await app.execute("SELECT id, phases FROM feed.boards ORDER BY id")
    assert [(board["id"], [phase["id"] for phase in board["phases"]]) for board in found] == [
        ("7", ["new", "won"]),
        ("8", ["new"]),
    ]
    (added,) = await app.execute("SELECT added FROM feed.adopted WHERE role = 'opportunities'")
    assert added["added"] == ["position", "version_number"]
    assert await problems(app) == []
    assert migrate.mend(app.url) == []


async def test_a_raw_write_reaches_clients_with_the_names_of_the_protocol(
    app: Database, services: Services, transport: str
) -> None:
    client = await services.open(transport, user="1")
    await app.execute(
        "UPDATE crm.deals SET stage = 'won', amount = 12.30, sales_rep = 2, title = 'Mr.' WHERE deal_id = %s", [FIRST]
    )
    moved = await client.next_event()
    assert moved.type == "opportunity_moved"
    assert (moved.body["fromPhase"], moved.body["toPhase"], moved.body["boardId"]) == ("new", "won", "7")
    assert moved.body["changes"] == {
        "phase": "won",
        "value": parse_json("12.30"),
        "owner_id": "2",
        "version_number": 2,
    }
    await app.execute("INSERT INTO crm.deals (pipeline_id, name, region) VALUES (7, 'Fourth', 'south')")
    created = (await client.next_event()).body["opportunity"]
    card = {"title": "Fourth", "phase": "new", "value": None, "owner_id": None, "board_id": "7", "region": "south"}
    assert {name: created[name] for name in card} == card
    assert not {"stage", "name", "amount", "sales_rep", "pipeline_id"} & created.keys()
    await app.execute("UPDATE crm.deals SET pipeline_id = 7 WHERE name = 'Third'")
    entered = (await client.next("opportunity_created")).body
    assert (entered["opportunity"]["title"], entered["opportunity"]["board_id"]) == ("Third", "7")


async def test_the_api_reads_and_writes_the_applications_columns(app: Database, services: Services) -> None:
    async with services.api_client("1") as ana:
        board = (await ana.get("/api/boards/7")).raise_for_status().json()
        assert {member["userId"]: member["name"] for member in board["members"]} == {"1": "Ana", "2": "Bruno"}
        card = next(each for each in board["opportunities"] if each["id"] == FIRST)
        expected = {
            "title": "First",
            "phase": "new",
            "board_id": "7",
            "value": 10.5,
            "owner_id": "1",
            "region": "north",
        }
        assert {name: card[name] for name in expected} == expected
        since = (await ana.get("/api/sync/opportunities")).json()["lastSync"]

        changes = {"title": "Renamed", "phase": "won", "value": 99, "owner_id": "2"}
        path = f"/api/opportunities/{FIRST}"
        patched = await ana.patch(path, json=changes, headers={"If-Match": '"v1"'})
        assert patched.status_code == 200, patched.text
        assert {name: patched.json()[name] for name in changes} == changes
        own = await row(app)
        assert (own["name"], own["stage"], own["amount"], own["sales_rep"], own["title"]) == (
            "Renamed",
            "won",
            99,
            2,
            "Dr.",
        )
        synced = (await ana.get(f"/api/sync/opportunities?since={since}")).raise_for_status().json()["opportunities"]
        assert synced == [patched.json()]

        stale = await ana.patch(path, json={"title": "Late"}, headers={"If-Match": '"v1"'})
        assert (stale.status_code, stale.json()["conflicts"]) == (412, ["title"])
        assert (stale.json()["base"]["title"], stale.json()["current"]["phase"]) == ("First", "won")

        moved = await ana.patch(path, json={"board_id": "8", "phase": "new"}, headers={"If-Match": '"v2"'})
        assert moved.status_code == 200, moved.text
        assert (await row(app))["pipeline_id"] == 8
        assert (await ana.patch(path, json={"phase": "lost"}, headers={"If-Match": '"v3"'})).status_code == 422

        # Its key is a uuid, which the API cannot choose; the database does.
        new = {"board_id": "7", "phase": "new", "title": "Created", "value": "3.50", "owner_id": "1"}
        created = await ana.post("/api/opportunities", json=new)
        assert created.status_code == 201, created.text
        own = await row(app, created.json()["id"])
        assert (own["name"], own["pipeline_id"], own["stage"], own["amount"]) == ("Created", 7, "new", 3.5)
        assert (await ana.post("/api/opportunities", json=new | {"company": "ACME"})).status_code == 422
        page = (await ana.get("/api/opportunities", params={"board": "7"})).raise_for_status().json()
        assert sorted(each["title"] for each in page["opportunities"]) == ["Created", "Second"]
        deleted = await ana.delete(created.headers["Location"], headers={"If-Match": '"v1"'})
        assert deleted.status_code == 204, deleted.text
    assert await found_by_verify(app) == []


async def test_a_value_that_the_column_cannot_hold_is_refused(app: Database, services: Services) -> None:
    await app.execute("ALTER TABLE crm.deals ALTER COLUMN amount TYPE integer")
    path = f"/api/opportunities/{FIRST}"
    async with services.api_client("1") as ana:
        refused: tuple[tuple[dict[str, object], int], ...] = (
            ({"owner_id": "nobody"}, 422),
            ({"owner_id": "99"}, 409),
            ({"value": 999999999999}, 422),
            ({"title": "x" * 81}, 422),
        )
        for fields, status in refused:
            answer = await ana.patch(path, json=fields, headers={"If-Match": '"v1"'})
            assert answer.status_code == status, (fields, answer.text)
        await app.execute("ALTER TABLE crm.deals DROP COLUMN stage")
        answer = await ana.patch(path, json={"phase": "won"}, headers={"If-Match": '"v1"'})
        assert (answer.status_code, "no column phase" in answer.json()["detail"]) == (422, True)
        assert (await ana.get(path)).raise_for_status().json()["title"] == "First"


async def test_versions_are_read_merged_and_restored(app: Database, services: Services) -> None:
    path = f"/api/opportunities/{FIRST}"
    await app.execute("UPDATE crm.deals SET name = 'Second name', title = 'Mr.', region = 'south'")
    async with services.api_client("1") as ana:
        versions = (await ana.get(f"{path}/versions")).raise_for_status().json()["versions"]
        assert [(each["version_number"], each["data"]["title"]) for each in versions] == [
            (2, "Second name"),
            (1, "First"),
        ]
        assert versions[1]["data"]["id"] == FIRST
        assert "name" not in versions[0]["data"]

        await app.execute("ALTER TABLE crm.deals RENAME COLUMN name TO label")
        await app.execute("ALTER TABLE crm.deals RENAME COLUMN stage TO step")
        migrate.mend(app.url)
        assert (await ana.get(f"{path}/versions/1")).raise_for_status().json()["data"]["title"] == "First"
        restored = await ana.post(f"{path}/versions/1/restore", headers={"If-Match": '"v2"'})
        assert (restored.status_code, restored.json()["title"], restored.json()["region"]) == (200, "First", "north")
        own = await row(app)
        assert (own["label"], own["title"], own["region"], own["version_number"]) == ("First", "Dr.", "north", 3)
        again = await ana.post(f"{path}/versions/3/restore", headers={"If-Match": '"v3"'})
        assert (again.status_code, again.headers["ETag"]) == (200, '"v3"')

        body = {"clientVersion": 2, "serverVersion": 3, "resolution": "merge", "clientData": {"value": 55}}
        merged = await ana.post(f"/api/opportunities/{FIRST}/resolve-conflict", json=body)
        assert (merged.status_code, merged.json()["value"]) == (200, 55), merged.text
        assert (await row(app))["amount"] == 55

        await app.execute("DELETE FROM crm.deals WHERE deal_id = %s", [FIRST])
        recreated = await ana.post(f"{path}/versions/2/restore")
        assert (recreated.status_code, recreated.json()["title"]) == (201, "Second name"), recreated.text
        own = await row(app)
        assert (own["label"], own["title"], own["step"], own["pipeline_id"], own["sales_rep"]) == (
            "Second name",
            "Mr.",
            "new",
            7,
            1,
        )
    assert await found_by_verify(app) == []


async def test_a_renamed_column_keeps_its_field(app: Database, services: Services, transport: str) -> None:
    client = await services.open(transport, user="1")
    cursor = client.cursor
    await app.execute("UPDATE crm.deals SET stage = 'won' WHERE deal_id = %s", [FIRST])
    await client.next("opportunity_moved")
    for old, new in (("stage", "step"), ("pipeline_id", "funnel"), ("name", "label"), ("deal_id", "no")):
        await app.execute(f"ALTER TABLE crm.deals RENAME COLUMN {old} TO {new}")
    await app.execute("UPDATE crm.deals SET step = 'new', label = 'Relabeled' WHERE no = %s", [FIRST])
    moved = (await client.next("opportunity_moved")).body
    assert (moved["fromPhase"], moved["toPhase"], moved["boardId"]) == ("won", "new", "7")
    assert moved["changes"].keys() == {"phase", "title", "version_number"}
    if transport == "websocket":
        assert sorted(migrate.mend(app.url)) == [
            "attached crm.deals",
            "noted that column name is now label",
            "noted that column pipeline_id is now funnel",
            "noted that column stage is now step",
        ]
        assert migrate.mend(app.url) == []
        assert await problems(app) == []
        assert await found_by_verify(app) == []
    # A column of the application takes a name that was the stage's.
    await app.execute("ALTER TABLE crm.deals ADD COLUMN stage text")
    await app.execute("UPDATE crm.deals SET step = 'won', stage = 'x' WHERE no = %s", [FIRST])
    moved = (await client.next("opportunity_moved")).body
    assert (moved["fromPhase"], moved["toPhase"], moved["changes"]["stage"]) == ("new", "won", "x")
    await client.close()
    # Changes from before are read again, under the names that they were logged with.
    returned = await services.open(transport, cursor, user="1")
    first = await returned.next_event()
    if (
        transport != "websocket"
    ):  # where the table was attached again, the first event says that the client must load its board
        assert (first.type, first.body["opportunityId"]) == ("opportunity_moved", FIRST)


async def test_a_schema_tool_drops_what_was_added_and_one_command_restores_it(
    app: Database, services: Services
) -> None:
    async with services.api_client("1") as ana:
        path = f"/api/opportunities/{FIRST}"
        patched = await ana.patch(path, json={"position": "a7"}, headers={"If-Match": '"v1"'})
        assert patched.status_code == 200, patched.text
        await app.execute(
            "ALTER TABLE crm.deals DROP COLUMN position, DROP COLUMN version_number;"
            "DROP INDEX crm.feed_opportunities_board_id; DROP TRIGGER feed_capture_update ON crm.deals;"
            "DROP TRIGGER zz_feed_version ON crm.deals"
        )
        await app.execute("UPDATE crm.deals SET name = 'Not logged' WHERE pipeline_id = 8")
        assert (await ana.get(path)).raise_for_status().json()["title"] == "First"
        done = await asyncio.to_thread(upgrade, app.url)
        assert {"added column position", "added column version_number", "attached crm.deals"} <= set(done)
        assert await problems(app) == []
        card = (await ana.get(path)).raise_for_status().json()
        assert (card["position"], card["version_number"] > 2) == ("a7", True)
        patched = await ana.patch(path, json={"phase": "won"}, headers={"If-Match": f'"v{card["version_number"]}"'})
        assert patched.status_code == 200, patched.text
        assert (await row(app))["stage"] == "won"


async def test_the_mapping_can_be_changed(app: Database, services: Services, transport: str) -> None:
    client = await services.open(transport, user="1")
    await app.execute(
        "ALTER TABLE crm.deals ADD COLUMN status integer NOT NULL DEFAULT 3, ADD COLUMN team text NOT NULL DEFAULT 'red'"
    )
    assert adopt_deals(app) == []
    done = adopt(app.url, "crm.deals", {"phase": "status"}, users=None, user_columns={})
    assert done == [
        "changed the columns of crm.deals; clients load their boards again",
        "added stage 3 to board 7",
        "added stage 3 to board 8",
    ]
    resync = (await client.next("resync")).body
    assert (resync["reason"], resync["table"]) == ("reload", "opportunities")
    async with services.api_client("1") as ana:
        board = (await ana.get("/api/boards/7")).raise_for_status().json()
        assert {each["phase"] for each in board["opportunities"]} == {"3"}
        assert [phase["id"] for phase in board["board"]["phases"]] == ["new", "won", "3"]
        assert {each["title"] for each in board["opportunities"]} == {"First", "Second"}
        patched = await ana.patch(
            f"/api/opportunities/{FIRST}", json={"title": "x", "phase": "3"}, headers={"If-Match": '"v1"'}
        )
        assert (patched.status_code, patched.json()["phase"]) == (200, "3"), patched.text
        own = await row(app)
        assert (own["status"], own["stage"]) == (3, "new")
        event = (await client.next("opportunity_updated")).body
        assert event["changes"]["title"] == "x"
        assert "phase" not in event["changes"]

        done = adopt_deals(app, board_id="team", phase="stage")
        assert "created board red" in done
        await client.next("resync")
        board = (await ana.get("/api/boards/red")).raise_for_status().json()
        assert len(board["opportunities"]) == 3
        assert (await ana.get("/api/boards/7")).raise_for_status().json()["opportunities"] == []
    assert await problems(app) == []
    assert await found_by_verify(app) == []


async def test_a_repair_reaches_clients_with_the_names_of_the_protocol(
    app: Database, services: Services, transport: str
) -> None:
    client = await services.open(transport, user="1")
    await app.execute("ALTER TABLE crm.deals DISABLE TRIGGER USER")
    await app.execute("UPDATE crm.deals SET stage = 'won', version_number = 2 WHERE deal_id = %s", [FIRST])
    await app.execute("ALTER TABLE crm.deals ENABLE TRIGGER USER")
    (finding,) = await found_by_verify(app)
    assert (finding.what, finding.key) == ("unlogged", FIRST)
    await app.execute("SELECT feed.repair('crm.deals', %s)", [[FIRST]])
    event = (await client.next_event()).body
    assert (event["origin"], event["opportunity"]["phase"], event["opportunity"]["title"]) == ("repair", "won", "First")
    assert await found_by_verify(app) == []


async def test_a_poll_follows_the_table_to_another_name(app: Database, services: Services) -> None:
    async with services.api_client("1") as ana:

        async def poll(since: str) -> dict[str, Any]:
            answer: dict[str, Any] = (await ana.get(f"/api/sync/opportunities?since={since}")).raise_for_status().json()
            return answer

        since = (await ana.get("/api/sync/opportunities")).raise_for_status().json()["lastSync"]
        await app.execute("CREATE TABLE public.opportunities (note text)")
        for name in ("first", "second"):
            old = (await app.execute("SELECT feed.opportunities_table()::text AS name"))[0]["name"]
            await app.execute(f"ALTER TABLE {old} RENAME TO {name}")
            await app.execute(f"UPDATE crm.{name} SET name = '{name}' WHERE deal_id = %s", [FIRST])  # noqa: S608
            page = await poll(since)
            assert [card["title"] for card in page["opportunities"]] == [name]
            since = page["lastSync"]


async def test_the_dba_sees_the_applications_names(app: Database) -> None:
    await app.execute("UPDATE crm.deals SET stage = 'won', name = 'Renamed' WHERE deal_id = %s", [FIRST])
    (entry,) = await app.execute("SELECT title, changes, new ->> 'stage' AS stage FROM feed.history(%s)", [FIRST])
    assert entry == {"title": "Renamed", "changes": "name: First -> Renamed; stage: new -> won", "stage": "won"}
    (version,) = await app.execute(
        "SELECT data ->> 'stage' AS stage FROM feed.opportunity_versions WHERE version_number = 2"
    )
    assert version == {"stage": "won"}


async def test_a_downgrade_leaves_the_table_as_it_was(empty_database: Database, binaries: Any) -> None:
    await empty_database.execute(APPLICATION)
    before = dump(empty_database, binaries)
    adopt_deals(empty_database)
    await empty_database.execute("DELETE FROM crm.staff WHERE staff_no = 3")
    assert migrate.downgrade(empty_database.url)
    assert dump(empty_database, binaries) == before


async def test_deleted_users_lose_their_boards(app: Database) -> None:
    await app.execute("UPDATE crm.deals SET sales_rep = NULL")
    await app.execute("DELETE FROM crm.staff WHERE staff_no = 2")
    assert {each["user_id"] for each in await app.execute("SELECT user_id FROM feed.board_members")} == {"1"}


async def test_a_table_that_is_created_again_is_the_board(app: Database) -> None:
    await app.execute("ALTER TABLE crm.deals RENAME TO old; DROP TABLE crm.old")
    await app.execute(
        "CREATE TABLE crm.deals (name text, pipeline_id integer, stage text, deal_id integer PRIMARY KEY);"
        "INSERT INTO crm.deals VALUES ('Again', 7, 'new', 1)"
    )
    migrate.mend(app.url)
    found = await app.execute(
        "SELECT body ->> 'title' AS title, body ->> 'phase' AS phase FROM feed.opportunities_on('{7}')"
    )
    assert found == [{"title": "Again", "phase": "new"}]
    assert await problems(app) == []
