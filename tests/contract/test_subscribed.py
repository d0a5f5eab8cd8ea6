"""`subscribed` has a cursor: a snapshot that covers it and the events after it are complete for a new board."""

import pytest

from feed.delivery.publisher import Publisher
from tests.contract.test_batches import KIB, update_many
from tests.support.database import Database
from tests.support.services import Serve, Services, summaries
from tests.support.streams import Client, WebSocketClient
from tests.support.until import until


async def _check_subscribed(client: Client, services: Services, database: Database) -> None:
    """Read `subscribed`, and check that a snapshot at its cursor and the events after it leave no gap."""
    subscribed = await client.next("subscribed", timeout=20)
    assert subscribed.body["boards"] == ["b1", "b2"]
    assert subscribed.cursor is not None
    headers = {"X-Feed-Cursor": subscribed.cursor}
    async with services.api_client("bruno") as http:
        snapshot = (await http.get("/api/boards/b2", headers=headers)).json()
    versions = {row["id"]: row["version_number"] for row in snapshot["opportunities"]}
    await database.execute("UPDATE opportunities SET notes = 'after' WHERE id = 'late'")
    event = await client.next_event(timeout=20)
    assert summaries([event]) == [("opportunity_updated", "late")]
    assert event.body["version"] == versions["late"] + 1


async def test_subscribed_is_sent_after_a_recovery(serve: Serve, database: Database) -> None:
    services = await serve(chunk_rows=3, client_budget=64 * KIB)
    runtime = await services.runtime("websocket")
    cursor = str(runtime.tailer.head)
    seqs = await update_many(database)
    await until(lambda: runtime.tailer.head.anchor >= seqs[-1])
    runtime.publisher.replay_buffer.clear()
    runtime.publisher.replay_buffer.record(runtime.tailer.head)
    client = await services.open("websocket", cursor, user="bruno", boards=["b1"], buffer=8 * KIB)
    assert isinstance(client, WebSocketClient)
    client.pause()
    await client.send({"type": "subscribe", "boards": ["b2"]})
    (subscription,) = runtime.connections
    async with services.api_client("bruno") as http:
        await http.get("/api/boards/b2")  # from now on the cached board is outdated
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b2')")
    assert subscription.state.name == "BEHIND"
    client.resume()
    await client.collect_to(seqs[-1], timeout=20)
    await _check_subscribed(client, services, database)


async def test_subscribed_is_sent_at_the_end_of_a_batch(
    serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = await serve(chunk_rows=3)
    client = await services.open("websocket", user="bruno", boards=["b1"])
    runtime = await services.runtime("websocket")
    (subscription,) = runtime.connections
    parts, publish = 0, Publisher.publish

    def subscribe_within_the_batch(self: Publisher, part: object) -> None:
        nonlocal parts
        publish(self, part)  # type: ignore[arg-type]
        if self is runtime.publisher and runtime.publisher.idle_head is None:
            parts += 1
            if parts == 4:
                runtime.set_boards(subscription, frozenset({"b1", "b2"}))
                runtime.send_subscribed(subscription)
                assert subscription.subscribed_pending

    monkeypatch.setattr(Publisher, "publish", subscribe_within_the_batch)
    async with services.api_client("bruno") as http:
        await http.get("/api/boards/b2")
    async with await database.connect(autocommit=False) as conn:
        await conn.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b2')")
        await conn.execute(
            "INSERT INTO opportunities (id, board_id) SELECT 'm' || n, 'b1' FROM generate_series(1, 60) AS n"
        )
        await conn.commit()
    await _check_subscribed(client, services, database)


async def test_subscribed_is_sent_at_once_to_a_live_client(serve: Serve, database: Database) -> None:
    services = await serve()
    client = await services.open("websocket", user="bruno", boards=["b1"])
    assert isinstance(client, WebSocketClient)
    async with services.api_client("bruno") as http:
        await http.get("/api/boards/b2")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b2')")
    runtime = await services.runtime("websocket")
    (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    await until(lambda: runtime.tailer.head.anchor >= row["seq"])
    await client.send({"type": "subscribe", "boards": ["b2"]})
    await _check_subscribed(client, services, database)
