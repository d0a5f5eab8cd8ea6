"""Checkpoints: the count and hash of a board's cards at a cursor, sent to the clients that see the board."""

import asyncio
from typing import Any, LiteralString

import pytest

from db.changelog.positions import Seen
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import Client, WebSocketClient
from tests.support.until import until

EACH_PASS = 0.001
"""Seconds: so short that nearly every read pass ends with a checkpoint."""


@pytest.fixture
async def services(serve: Serve) -> Services:
    return await serve(checkpoint_interval=EACH_PASS, read_interval=0.1)


async def checkpoint_of(database: Database, board: str = "b1", cursor: str | None = None) -> dict[str, Any]:
    (row,) = await database.execute("SELECT count, hash FROM feed.checkpoint(%s, %s)", (board, cursor))
    return row


async def wait_for_checkpoint(client: Client, database: Database, board: str = "b1") -> None:
    """Wait for a checkpoint that matches the table."""
    while True:
        body = (await client.next("checkpoint")).body
        assert body["boardId"] == board
        checkpoint = {"count": body["count"], "hash": body["hash"]}
        assert checkpoint == await checkpoint_of(database, board, body["cursor"])
        if checkpoint == await checkpoint_of(database, board):
            return


async def write_past_the_triggers(database: Database, statement: LiteralString) -> None:
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("SET LOCAL session_replication_role = replica")
        await writer.execute(statement)


async def test_checkpoints_match_after_each_kind_of_write(
    services: Services, database: Database, transport: str
) -> None:
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
        await wait_for_checkpoint(client, database)
    runtime = await services.runtime(transport)
    assert (runtime.metrics.registry.get_sample_value("boardcast_checkpoints_total") or 0) >= len(steps)
    assert await database.execute("SELECT * FROM feed.gaps") == []


async def test_checkpoints_match_after_a_repair_of_several_versions(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1'), ('y', 'b1')")
    await wait_for_checkpoint(client, database)
    for step in (
        "UPDATE opportunities SET version_number = 9 WHERE id = 'x'",
        "UPDATE opportunities SET version_number = 9, board_id = 'b2' WHERE id = 'y'",
    ):
        await write_past_the_triggers(database, step)
        await database.execute("SELECT feed.repair('opportunities', '{x,y}')")
        await wait_for_checkpoint(client, database)
    assert await database.execute("SELECT * FROM feed.gaps") == []


async def test_clients_can_resume_from_the_cursor_of_a_checkpoint(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE opportunities SET title = 'other'")
    checkpoint = await client.next("checkpoint")
    again = await services.open(transport, checkpoint.body["cursor"])
    assert again.messages[0].body["resume"] == "resumed"
    await database.execute("UPDATE opportunities SET title = 'since then'")
    assert (await again.next_event()).body["changes"]["title"] == "since then"


async def test_checkpoints_match_after_a_resync(serve: Serve, database: Database, transport: str) -> None:
    services = await serve(checkpoint_interval=EACH_PASS, read_interval=0.1, resync_threshold=5)
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'x' || n, 'b1' FROM generate_series(1, 50) AS n"
    )
    await wait_for_checkpoint(client, database)
    assert any(message.type == "resync" for message in client.messages)
    await database.execute("TRUNCATE opportunities CASCADE")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1')")
    await wait_for_checkpoint(client, database)
    assert await database.execute("SELECT * FROM feed.gaps") == []


async def test_clients_get_checkpoints_of_the_boards_they_see_only(
    services: Services, database: Database, transport: str
) -> None:
    ana, bruno = await services.open(transport), await services.open(transport, user="bruno", boards=["b2"])
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1'), ('y', 'b2')")
    await wait_for_checkpoint(ana, database)
    await wait_for_checkpoint(bruno, database, "b2")
    assert {m.body["boardId"] for m in ana.messages if m.type == "checkpoint"} == {"b1"}


async def test_without_an_interval_checkpoints_are_sent_only_on_request(serve: Serve, database: Database) -> None:
    services = await serve(checkpoint_interval=0, read_interval=0.1)
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    for step in range(3):
        await database.execute("UPDATE opportunities SET title = %s::text", (str(step),))
        await client.next_event()
        assert not [m for m in client.messages if m.type == "checkpoint"][step:]
        await client.send({"type": "checkpoint", "boardId": "b1"})
        await wait_for_checkpoint(client, database)
    await client.send({"type": "checkpoint", "boardId": "b2"})
    assert (await client.next()).body["code"] == "unknown_board"


async def test_a_checkpoint_requested_during_recovery_is_sent_once_the_client_is_live(
    serve: Serve, database: Database
) -> None:
    services = await serve(checkpoint_interval=0, read_interval=0.1)
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    await client.next("presence_state")
    runtime = await services.runtime("websocket")
    (subscription,) = runtime.connections
    runtime.connections.fall_behind(subscription, runtime.tailer.head)
    await client.send({"type": "checkpoint", "boardId": "b1"})
    await client.send({"type": "ping"})
    await client.next("pong")
    for _ in range(5):
        await runtime.tailer.wait_for_pass()
    runtime.recovery_tasks.recover(subscription)
    await wait_for_checkpoint(client, database)


async def test_the_service_detects_a_write_past_the_triggers(
    services: Services, database: Database, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.integrity.checkpoints._RECOUNT_AFTER", 0.05)
    client = await services.open(transport)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b1')")
    await wait_for_checkpoint(client, database)
    await write_past_the_triggers(database, "UPDATE opportunities SET version_number = 9 WHERE id = 'x'")

    async def gaps() -> list[dict[str, Any]]:
        # Only boards with changes are recounted.
        await database.execute("UPDATE opportunities SET title = title || '.' WHERE id = 'o1'")
        return await database.execute("SELECT user_id, board, cause, cards, held_count FROM feed.gaps")

    (row,) = await until(gaps, what="a row of feed.gaps")
    assert row == {"user_id": None, "board": "b1", "cause": "unlogged", "cards": ["x"], "held_count": 2}


async def test_a_reported_gap_is_stored_with_its_cause(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    before = await checkpoint_of(database)
    await database.execute("UPDATE opportunities SET title = 'lost on the way'")
    body = (await client.next("checkpoint")).body
    expected = {"count": body["count"], "hash": body["hash"]}
    gap = {"type": "gap", "boardId": "b1", "cursor": body["cursor"], "expected": expected, "held": before}
    await client.send(gap)

    async def gaps() -> list[dict[str, Any]]:
        return await database.execute("SELECT user_id, connection, cause FROM feed.gaps")

    (row,) = await until(gaps, what="a row of feed.gaps")
    connection = client.messages[0].body["connectionId"]
    assert row == {"user_id": "ana", "connection": connection, "cause": "delivery"}
    runtime = await services.runtime("websocket")
    assert runtime.metrics.registry.get_sample_value("boardcast_gaps_total", {"cause": "delivery"}) == 1
    invalid: list[dict[str, Any]] = [
        {"held": None},
        {"held": {"count": -1, "hash": "00000000"}},
        {"expected": {"count": 1, "hash": "xyz"}},
        {"cursor": "a b"},
    ]
    for fields in invalid:
        await client.send(gap | fields)
        assert (await client.next("error")).body["code"] == "invalid_message"
    await client.send(gap | {"boardId": "b2"})
    assert (await client.next("error")).body["code"] == "unknown_board"


async def test_a_gap_can_be_reported_over_http(services: Services, database: Database) -> None:
    cursor = (await services.open("sse")).messages[0].body["cursor"]
    gap = {"cursor": cursor, "expected": await checkpoint_of(database), "held": {"count": 0, "hash": "00000000"}}
    async with services.api_client() as ana:
        assert (await ana.post("/api/boards/b1/gaps", json=gap)).status_code == 204
        assert (await ana.post("/api/boards/b1/gaps", json=gap)).status_code == 204
        assert (await ana.post("/api/boards/b2/gaps", json=gap)).status_code == 404
        assert (await ana.post("/api/boards/b1/gaps", json=gap | {"held": {"count": 1}})).status_code == 422
        rows = await database.execute("SELECT user_id, connection, cause FROM feed.gaps")
        assert rows == [{"user_id": "ana", "connection": None, "cause": "delivery"}]


async def test_a_no_cache_snapshot_shows_writes_past_the_triggers(services: Services, database: Database) -> None:
    async with services.api_client() as ana:
        first = (await ana.get("/api/boards/b1")).json()
        await write_past_the_triggers(database, "UPDATE opportunities SET title = 'secret', version_number = 7")
        assert (await ana.get("/api/boards/b1")).json()["opportunities"] == first["opportunities"]
        fresh = (await ana.get("/api/boards/b1", headers={"Cache-Control": "no-cache"})).json()
        assert fresh["opportunities"][0]["version_number"] == 7
        assert (await ana.get("/api/boards/b1")).json()["opportunities"] == fresh["opportunities"]


async def test_a_recounted_board_is_compared_with_the_later_count(
    serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clients ask within one read pass. The board changes between the two counts, and that change is not published yet."""
    # Only requested read passes.
    services = await serve(checkpoint_interval=0, read_interval=60.0, notify_mode="always")
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    await client.next("presence_state")
    runtime = await services.runtime("websocket")
    checkpoints, wait_for_snapshot = runtime.checkpoints, runtime.tailer.wait_for_snapshot
    counted, proceed = asyncio.Event(), asyncio.Event()

    async def late(snapshot: Seen) -> None:
        counted.set()
        await proceed.wait()
        await wait_for_snapshot(snapshot)

    monkeypatch.setattr(runtime.tailer, "wake", lambda: None)
    checkpoints._schedule("b1")
    await until(lambda: "b1" in checkpoints._counted, timeout=10)
    monkeypatch.setattr(runtime.tailer, "wait_for_snapshot", late)
    monkeypatch.setattr("feed.integrity.checkpoints._MIN_COUNT_AGE", 0.0)
    checkpoints._schedule("b1")
    await asyncio.wait_for(counted.wait(), 10)
    checkpoints.on_pass(0, 0)
    assert checkpoints._boards["b1"].recount is not None, "the first count was compared with the rows of the second"
    proceed.set()
    await until(lambda: "b1" in checkpoints._counted, timeout=10)
    checkpoints.on_pass(0, 0)
    assert checkpoints._boards["b1"].recount is None
