"""`subscribed` has a cursor: a snapshot that covers it, and the events after it, are all there is of a new board."""

import pytest

from feed.delivery.publisher import Publisher
from tests.contract.test_batches import KIB, many
from tests.support.database import Database
from tests.support.services import Serve, Services, told
from tests.support.streams import Client, WebSocketClient
from tests.support.until import until


async def _says_where(client: Client, services: Services, database: Database) -> None:
    """Read `subscribed`; the snapshot of its cursor and the events after that are all there is of the board."""
    subscribed = await client.next("subscribed", timeout=20)
    assert subscribed.body["boards"] == ["b1", "b2"]
    assert subscribed.cursor is not None
    headers = {"X-Feed-Cursor": subscribed.cursor}
    async with services.asking("bruno") as http:
        snapshot = (await http.get("/api/boards/b2", headers=headers)).json()
    held = {row["id"]: row["version_number"] for row in snapshot["opportunities"]}
    await database.execute("UPDATE opportunities SET notes = 'after' WHERE id = 'late'")
    event = await client.next_event(timeout=20)
    assert told([event]) == [("opportunity_updated", "late")]
    assert event.body["version"] == held["late"] + 1


async def test_who_is_being_caught_up_is_told_at_the_end_of_that(serve: Serve, database: Database) -> None:
    services = await serve(chunk_rows=3, client_budget=64 * KIB)
    hub = await services.hub("websocket")
    cursor = str(hub.tailer.head)
    seqs = await many(database)
    await until(lambda: hub.tailer.head.anchor >= seqs[-1])
    hub.publisher.replay_buffer.clear()
    hub.publisher.replay_buffer.record(hub.tailer.head)
    client = await services.open("websocket", cursor, user="bruno", boards=["b1"], buffer=8 * KIB)
    assert isinstance(client, WebSocketClient)
    client.pause()
    await client.send({"type": "subscribe", "boards": ["b2"]})
    (subscription,) = hub.connections
    async with services.asking("bruno") as http:
        await http.get("/api/boards/b2")  # a cache that is behind from now on
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b2')")
    assert subscription.state.name == "BEHIND"
    client.resume()
    await client.collect_to(seqs[-1], timeout=20)
    await _says_where(client, services, database)


async def test_who_asks_inside_a_batch_is_told_at_the_end_of_it(
    serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = await serve(chunk_rows=3)
    client = await services.open("websocket", user="bruno", boards=["b1"])
    hub = await services.hub("websocket")
    (subscription,) = hub.connections
    parts, publish = 0, Publisher.publish

    def asking(self: Publisher, part: object) -> None:
        nonlocal parts
        publish(self, part)  # type: ignore[arg-type]
        if self is hub.publisher and hub.publisher.idle_head is None:
            parts += 1
            if parts == 4:
                hub.set_boards(subscription, frozenset({"b1", "b2"}))
                hub.send_subscribed(subscription)
                assert subscription.subscribed_pending

    monkeypatch.setattr(Publisher, "publish", asking)
    async with services.asking("bruno") as http:
        await http.get("/api/boards/b2")
    async with await database.connect(autocommit=False) as conn:
        await conn.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b2')")
        await conn.execute(
            "INSERT INTO opportunities (id, board_id) SELECT 'm' || n, 'b1' FROM generate_series(1, 60) AS n"
        )
        await conn.commit()
    await _says_where(client, services, database)


async def test_who_is_up_to_date_is_told_at_once(serve: Serve, database: Database) -> None:
    services = await serve()
    client = await services.open("websocket", user="bruno", boards=["b1"])
    assert isinstance(client, WebSocketClient)
    async with services.asking("bruno") as http:
        await http.get("/api/boards/b2")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b2')")
    hub = await services.hub("websocket")
    (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    await until(lambda: hub.tailer.head.anchor >= row["seq"])
    await client.send({"type": "subscribe", "boards": ["b2"]})
    await _says_where(client, services, database)
