"""Checkpoints: what a board has to hold, told to who sees it, at a cursor at which it is true."""

import asyncio
from typing import Any, LiteralString

import pytest

from db.changelog.positions import Seen
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import Client, WebSocketClient
from tests.support.until import until

SOON = 0.001
"""Seconds: a checkpoint at the end of each sweep, nearly."""


@pytest.fixture
async def services(serve: Serve) -> Services:
    return await serve(checkpoint_interval=SOON, read_interval=0.1)


async def held(database: Database, board: str = "b1", cursor: str | None = None) -> dict[str, Any]:
    (row,) = await database.execute("SELECT count, hash FROM feed.checkpoint(%s, %s)", (board, cursor))
    return row


async def agreed(client: Client, database: Database, board: str = "b1") -> None:
    """Wait for a checkpoint that is what the table holds."""
    while True:
        body = (await client.next("checkpoint")).body
        assert body["boardId"] == board
        said = {"count": body["count"], "hash": body["hash"]}
        assert said == await held(database, board, body["cursor"])
        if said == await held(database, board):
            return


async def past_the_triggers(database: Database, statement: LiteralString) -> None:
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("SET LOCAL session_replication_role = replica")
        await writer.execute(statement)


async def test_each_kind_of_write_is_counted(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    steps: list[LiteralString] = [
        "UPDATE opportunities SET title = 'other'",
        "INSERT INTO opportunities (id, board_id) SELECT 'x' || n, 'b1' FROM generate_series(1, 20) AS n",
        "UPDATE opportunities SET board_id = 'b2' WHERE id = 'x1'",
        "UPDATE opportunities SET title = 'many'",
        "UPDATE opportunities SET board_id = 'b1' WHERE id = 'x1'",
        "DELETE FROM opportunities WHERE id IN ('x2', 'x3')",
        "INSERT INTO opportunities (id, board_id) VALUES ('x2', 'b1')",
    ]
    for step in steps:
        await database.execute(step)
        await agreed(client, database)
    hub = await services.hub(transport)
    assert (hub.metrics.registry.get_sample_value("boardcast_checkpoints_total") or 0) >= len(steps)
    assert await database.execute("SELECT * FROM feed.gaps") == []


async def test_a_repair_of_several_versions_is_counted_anew(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1'), ('y', 'b1')")
    await agreed(client, database)
    for step in (
        "UPDATE opportunities SET version_number = 9 WHERE id = 'x'",
        "UPDATE opportunities SET version_number = 9, board_id = 'b2' WHERE id = 'y'",
    ):
        await past_the_triggers(database, step)
        await database.execute("SELECT feed.repair('opportunities', '{x,y}')")
        await agreed(client, database)
    assert await database.execute("SELECT * FROM feed.gaps") == []


async def test_its_cursor_is_one_to_resume_from(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE opportunities SET title = 'other'")
    checkpoint = await client.next("checkpoint")
    again = await services.open(transport, checkpoint.body["cursor"])
    assert again.messages[0].body["resume"] == "resumed"
    await database.execute("UPDATE opportunities SET title = 'since then'")
    assert (await again.next_event()).body["changes"]["title"] == "since then"


async def test_what_is_too_much_to_tell_is_counted_anew(serve: Serve, database: Database, transport: str) -> None:
    services = await serve(checkpoint_interval=SOON, read_interval=0.1, resync_threshold=5)
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'x' || n, 'b1' FROM generate_series(1, 50) AS n"
    )
    await agreed(client, database)
    assert any(message.type == "resync" for message in client.messages)
    await database.execute("TRUNCATE opportunities CASCADE")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1')")
    await agreed(client, database)
    assert await database.execute("SELECT * FROM feed.gaps") == []


async def test_only_who_sees_a_board_is_told_of_it(services: Services, database: Database, transport: str) -> None:
    ana, bruno = await services.open(transport), await services.open(transport, user="bruno", boards=["b2"])
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1'), ('y', 'b2')")
    await agreed(ana, database)
    await agreed(bruno, database, "b2")
    assert {m.body["boardId"] for m in ana.messages if m.type == "checkpoint"} == {"b1"}


async def test_a_board_on_which_nothing_happens_has_none_until_somebody_asks(serve: Serve, database: Database) -> None:
    services = await serve(checkpoint_interval=0, read_interval=0.1)
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    for step in range(3):
        await database.execute("UPDATE opportunities SET title = %s::text", (str(step),))
        await client.next_event()
        assert not [m for m in client.messages if m.type == "checkpoint"][step:]
        await client.send({"type": "checkpoint", "boardId": "b1"})
        await agreed(client, database)
    await client.send({"type": "checkpoint", "boardId": "b2"})
    assert (await client.next()).body["code"] == "unknown_board"


async def test_who_asks_while_he_is_caught_up_is_told_when_he_is_live(serve: Serve, database: Database) -> None:
    services = await serve(checkpoint_interval=0, read_interval=0.1)
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    await client.next("presence_state")
    hub = await services.hub("websocket")
    (subscription,) = hub.connections
    hub.connections.fall_behind(subscription, hub.tailer.head)
    await client.send({"type": "checkpoint", "boardId": "b1"})
    await client.send({"type": "ping"})
    await client.next("pong")
    for _ in range(5):
        await hub.tailer.wait_for_pass()
    hub.recovery_tasks.recover(subscription)
    await agreed(client, database)


async def test_a_write_past_the_triggers_is_found_by_the_service_itself(
    services: Services, database: Database, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.integrity.checkpoints._RECOUNT_AFTER", 0.05)
    client = await services.open(transport)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1')")
    await agreed(client, database)
    await past_the_triggers(database, "UPDATE opportunities SET version_number = 9 WHERE id = 'x'")

    async def noted() -> list[dict[str, Any]]:
        await database.execute(
            "UPDATE opportunities SET title = title || '.' WHERE id = 'o1'"
        )  # else it is not looked at
        return await database.execute("SELECT user_id, board, cause, cards, held_count FROM feed.gaps")

    (row,) = await until(noted, what="a row of feed.gaps")
    assert row == {"user_id": None, "board": "b1", "cause": "unlogged", "cards": ["x"], "held_count": 2}


async def test_who_holds_something_else_says_so_and_the_cause_is_found(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    before = await held(database)
    await database.execute("UPDATE opportunities SET title = 'lost on the way'")
    body = (await client.next("checkpoint")).body
    expected = {"count": body["count"], "hash": body["hash"]}
    gap = {"type": "gap", "boardId": "b1", "cursor": body["cursor"], "expected": expected, "held": before}
    await client.send(gap)

    async def noted() -> list[dict[str, Any]]:
        return await database.execute("SELECT user_id, connection, cause FROM feed.gaps")

    (row,) = await until(noted, what="a row of feed.gaps")
    connection = client.messages[0].body["connectionId"]
    assert row == {"user_id": "ana", "connection": connection, "cause": "delivery"}
    hub = await services.hub("websocket")
    assert hub.metrics.registry.get_sample_value("boardcast_gaps_total", {"cause": "delivery"}) == 1
    wrong: list[dict[str, Any]] = [
        {"held": None},
        {"held": {"count": -1, "hash": "00000000"}},
        {"expected": {"count": 1, "hash": "xyz"}},
        {"cursor": "a b"},
    ]
    for others in wrong:
        await client.send(gap | others)
        assert (await client.next("error")).body["code"] == "invalid_message"
    await client.send(gap | {"boardId": "b2"})
    assert (await client.next("error")).body["code"] == "unknown_board"


async def test_the_same_over_http(services: Services, database: Database) -> None:
    cursor = (await services.open("sse")).messages[0].body["cursor"]
    gap = {"cursor": cursor, "expected": await held(database), "held": {"count": 0, "hash": "00000000"}}
    async with services.asking() as ana:
        assert (await ana.post("/api/boards/b1/gaps", json=gap)).status_code == 204
        assert (await ana.post("/api/boards/b1/gaps", json=gap)).status_code == 204
        assert (await ana.post("/api/boards/b2/gaps", json=gap)).status_code == 404
        assert (await ana.post("/api/boards/b1/gaps", json=gap | {"held": {"count": 1}})).status_code == 422
        rows = await database.execute("SELECT user_id, connection, cause FROM feed.gaps")
        assert rows == [{"user_id": "ana", "connection": None, "cause": "delivery"}]


async def test_a_snapshot_that_must_be_new_shows_what_the_feed_was_not_told(
    services: Services, database: Database
) -> None:
    async with services.asking() as ana:
        first = (await ana.get("/api/boards/b1")).json()
        await past_the_triggers(database, "UPDATE opportunities SET title = 'secret', version_number = 7")
        assert (await ana.get("/api/boards/b1")).json()["opportunities"] == first["opportunities"]
        fresh = (await ana.get("/api/boards/b1", headers={"Cache-Control": "no-cache"})).json()
        assert fresh["opportunities"][0]["version_number"] == 7
        assert (await ana.get("/api/boards/b1")).json()["opportunities"] == fresh["opportunities"]


async def test_a_board_that_is_counted_again_is_settled_by_the_later_count(
    serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clients ask within one sweep; between the two counts the board changes, and the hub has not read that yet."""
    services = await serve(
        checkpoint_interval=0, read_interval=60.0, notify_mode="always"
    )  # no pass but those asked for
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    await client.next("presence_state")
    hub = await services.hub("websocket")
    counting, reach = hub.checkpoints, hub.tailer.wait_for_snapshot
    counted, gone_on = asyncio.Event(), asyncio.Event()

    async def late(snapshot: Seen) -> None:
        counted.set()
        await gone_on.wait()
        await reach(snapshot)

    monkeypatch.setattr(hub.tailer, "wake", lambda: None)
    counting._schedule("b1")
    await until(lambda: "b1" in counting._counted, timeout=10)
    monkeypatch.setattr(hub.tailer, "wait_for_snapshot", late)
    monkeypatch.setattr("feed.integrity.checkpoints._MIN_COUNT_AGE", 0.0)
    counting._schedule("b1")
    await asyncio.wait_for(counted.wait(), 10)
    counting.on_pass(0, 0)
    assert counting._boards["b1"].recount is not None, "the first count was settled with the second one's rows"
    gone_on.set()
    await until(lambda: "b1" in counting._counted, timeout=10)
    counting.on_pass(0, 0)
    assert counting._boards["b1"].recount is None
