"""`boardcast flags` shows and changes flags; a failure gives the reason and changes nothing."""

import asyncio
import json
from typing import Any

import pytest

from cli.failures import DATABASE, USAGE
from tests.cli.harness import Commands
from tests.support.database import Database
from tests.support.services import Services, add_people
from tests.support.until import until


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def rules(production: Commands) -> list[tuple[Any, ...]]:
    rows = objects(production.output("flags", "--json"))
    return [(row["flag"], row["scope"], row["user_id"], row["percentage"], row["value"]) for row in rows]


async def test_rules_are_set_shown_and_cleared(production: Commands, database: Database) -> None:
    await add_people(database)
    assert production.output("flags").startswith("No flag is set: realtime is websocket for everyone")
    assert production.output("flags", "set", "realtime", "poll") == "realtime is poll for everyone"
    assert (
        production.output("flags", "set", "realtime", "websocket", "--percentage", "10")
        == "realtime is websocket for 10 % of the users"
    )
    assert production.output("flags", "set", "realtime", "sse", "--user", "ana") == "realtime is sse for ana"
    message = production.output("flags", "set", "realtime", "off", "--user", "nobody")
    assert message == "realtime is off for nobody (no user has this id)"
    assert rules(production) == [
        ("realtime", "everybody", None, None, "poll"),
        ("realtime", "percentage", None, 10, "websocket"),
        ("realtime", "user", "ana", None, "sse"),
        ("realtime", "user", "nobody", None, "off"),
    ]
    assert "everybody" in production.output("flags")
    assert production.output("flags", "--user", "ana").startswith("realtime is sse for ana, whom every rollout above ")
    (user,) = objects(production.output("flags", "--user", "bruno", "--json"))
    assert (user["user_id"], user["known"]) == ("bruno", True)
    assert user["realtime"] == ("websocket" if user["bucket"] < 10 else "poll")
    assert production.output("flags", "clear", "realtime", "--user", "ana") == "rule removed"
    assert production.output("flags", "clear", "realtime", "--user", "ana") == "there is no such rule"
    assert production.output("flags", "clear", "realtime", "--percentage") == "rule removed"
    assert objects(production.output("flags", "clear", "realtime", "--all", "--json")) == [
        {"flag": "realtime", "cleared": 2}
    ]
    assert objects(production.output("flags", "--json")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "realtime", "carrier-pigeon"),
        ("set", "weather", "off"),
        ("set", "realtime", "sse", "--percentage", "101"),
        ("set", "realtime", "sse", "--percentage", "10", "--user", "ana"),
        ("clear", "realtime", "--all", "--percentage"),
        ("notify", "maybe"),
        ("capture",),
    ],
)
def test_invalid_arguments_are_refused(production: Commands, arguments: tuple[str, ...]) -> None:
    status, _ = production.fails("flags", *arguments)
    assert status == USAGE


def test_feed_dba_can_only_read_flags(production: Commands) -> None:
    as_dba = {"PGOPTIONS": "-c role=feed_dba"}
    assert production.run("flags", **as_dba).returncode == 0
    for arguments in (("set", "realtime", "off"), ("clear", "realtime"), ("notify", "off"), ("capture", "off")):
        status, message = production.fails("flags", *arguments, **as_dba)
        assert status == DATABASE
        assert "permission denied" in message


async def test_open_clients_receive_flag_changes(services: Services, production: Commands) -> None:
    client = await services.open("websocket")
    production.output("flags", "set", "realtime", "sse", "--user", "ana")
    assert (await client.next("flags")).body["realtime"] == "sse"
    production.output("flags", "clear", "realtime", "--user", "ana")
    assert (await client.next("flags")).body["realtime"] == "websocket"


async def test_notify_off_and_on(production: Commands, database: Database) -> None:
    await add_people(database)

    async def notifies() -> bool:
        await database.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
        (row,) = await database.execute("SELECT notified FROM feed.log ORDER BY seq DESC LIMIT 1")
        return bool(row["notified"])

    assert production.output("flags", "notify", "off").startswith("NOTIFY is off: no trigger sends it")
    assert not await notifies()
    assert rules(production) == [("notify", "everybody", None, None, "off")]
    assert objects(production.output("flags", "notify", "on", "--json")) == [{"notify": "on"}]
    assert await notifies()


async def test_capture_off_and_on_repairs_the_log(services: Services, production: Commands, database: Database) -> None:
    client = await services.open("websocket")
    message = production.output("flags", "capture", "off")
    assert message.startswith(
        "capture is off for feed.board_members, feed.boards, feed.opportunity_details, opportunities: nothing is logged"
    )
    assert (await client.next("flags")).body["realtime"] == "off"
    await database.execute("UPDATE opportunities SET title = 'Unlogged'")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('new', 'b1')")
    assert production.output("flags", "capture", "off") == "capture is already off"
    (done,) = objects(production.output("flags", "capture", "on", "--json"))
    assert (done["capture"], sorted(done["tables"]), done["repaired"]) == (
        "on",
        ["feed.board_members", "feed.boards", "feed.opportunity_details", "opportunities"],
        2,
    )
    before = client.cursor
    assert (await client.next("reset")).body["reason"] == "foreign"
    again = await services.open("websocket", before)
    assert (await again.next("reset")).body["reason"] == "foreign"
    assert production.output("flags", "capture", "on") == "capture is already on"
    assert production.run("verify").returncode == 0
    history = await database.execute(
        "SELECT version_number FROM opportunity_versions WHERE opportunity_id = 'o1' ORDER BY version_number"
    )
    assert [row["version_number"] for row in history] == [1, 2]


async def test_a_table_in_use_is_reported_and_nothing_changes(production: Commands, database: Database) -> None:
    await add_people(database)
    async with await database.connect(autocommit=False, application_name="the nightly import") as writer:
        await writer.execute("UPDATE feed.boards SET name = 'Long'")
        status, message = await asyncio.to_thread(production.fails, "flags", "capture", "off")
    assert status == DATABASE
    assert "the nightly import" in message
    assert "nothing was changed" in message
    assert rules(production) == []
    disabled = await database.execute("SELECT FROM feed.triggers WHERE state = 'disabled'")
    assert disabled == []

    async def capture_is_off() -> bool:
        return (await asyncio.to_thread(production.run, "flags", "capture", "off")).returncode == 0

    await until(capture_is_off, timeout=20)
