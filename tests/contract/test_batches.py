"""On one connection no event is repeated and no cursor moves back, whatever fails within a batch (Client.broken checks both)."""

import psycopg
import pytest

from feed.delivery.publisher import Publisher
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import Client, Message
from tests.support.until import until

KIB = 1024
ROWS = 60


async def update_many(database: Database, size: int = 20 * KIB) -> list[int]:
    """Update ROWS cards in one statement, with `size` bytes each, and return the sequence numbers of the changes."""
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'm' || n, 'b1' FROM generate_series(1, %s) AS n"
        " ON CONFLICT (id) DO NOTHING",
        [ROWS],
    )
    await database.execute(
        "UPDATE opportunities SET notes = (SELECT string_agg(md5(n::text || random()), '') FROM generate_series(1, %s) AS n)"
        " WHERE id LIKE 'm%%'",
        [size // 32],
    )
    found = await database.execute("SELECT seq FROM feed.log WHERE op = 'update' ORDER BY seq DESC LIMIT %s", [ROWS])
    return sorted(row["seq"] for row in found)


async def _collect_each_once(client: Client, seqs: list[int]) -> list[Message]:
    """Read up to the last of `seqs` and check that each came exactly once."""
    events = await client.collect_to(seqs[-1], timeout=20)
    received: list[int | None] = [m.seq for m in client.messages if m.seq in set(seqs)]
    assert received == seqs
    return events


def _terminate(database: Database, application: str) -> None:
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [application],
        )


async def test_a_client_that_falls_behind_within_a_batch_gets_the_rest_of_it(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(chunk_rows=3, client_budget=64 * KIB)
    runtime = await services.runtime(transport)
    slow = await services.open(transport, buffer=8 * KIB)
    (subscription,) = runtime.connections
    slow.pause()
    seqs = await update_many(database)
    await until(lambda: runtime.tailer.head.anchor >= seqs[-1])
    assert subscription.state.name == "BEHIND"
    assert subscription.interrupted_at is not None
    slow.resume()
    await _collect_each_once(slow, seqs)
    await until(lambda: subscription.state.name == "LIVE", timeout=10)
    await until(lambda: slow.cursor == str(runtime.tailer.head), timeout=10)
    assert len(slow.messages) >= ROWS


async def test_a_client_is_disconnected_when_the_rest_of_its_batch_left_the_buffer(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(chunk_rows=3, client_budget=64 * KIB)
    runtime = await services.runtime(transport)
    slow = await services.open(transport, buffer=8 * KIB)
    (subscription,) = runtime.connections
    slow.pause()
    seqs = await update_many(database)
    await until(lambda: runtime.tailer.head.anchor >= seqs[-1])
    assert subscription.interrupted_at is not None
    runtime.publisher.replay_buffer.clear()
    runtime.publisher.replay_buffer.record(runtime.tailer.head)
    slow.resume()
    await slow.wait_closed(timeout=20)
    assert slow.violation is None
    again = await services.open(transport, slow.cursor)
    await again.collect_to(seqs[-1], timeout=20)
    assert [m.seq for m in again.messages if m.seq in set(seqs)] == seqs


async def test_a_failed_read_pass_resumes_where_it_stopped(
    serve: Serve, database: Database, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = await serve(chunk_rows=3)
    client = await services.open(transport)
    runtime = await services.runtime(transport)
    parts = 0
    publish = Publisher.publish

    def failing(self: Publisher, part: object) -> None:
        nonlocal parts
        publish(self, part)  # type: ignore[arg-type]
        if self is runtime.publisher:
            parts += 1
            if parts in {4, 9}:
                _terminate(database, "boardcast-tailer")

    monkeypatch.setattr(Publisher, "publish", failing)
    seqs = await update_many(database, 60 * KIB)
    await _collect_each_once(client, seqs)
    assert parts > ROWS // 3
    await until(lambda: client.cursor == str(runtime.tailer.head))
    await database.execute("UPDATE opportunities SET notes = 'y' WHERE id = 'o1'")
    assert (await client.next_event()).body["opportunityId"] == "o1"


async def test_a_failed_recovery_resumes_where_it_stopped(serve: Serve, database: Database, transport: str) -> None:
    services = await serve(chunk_rows=3, client_budget=256 * KIB)
    first = await services.open(transport)
    first.cut()
    seqs = await update_many(database, 60 * KIB)
    await services.stop()
    client = await services.open(transport, first.cursor, buffer=8 * KIB)
    runtime = await services.runtime(transport)
    (subscription,) = runtime.connections
    client.pause()
    await until(lambda: subscription.sink.pending() > 128 * KIB)
    _terminate(database, f"boardcast-{runtime.service}")
    client.resume()
    await _collect_each_once(client, seqs)
    await until(lambda: subscription.state.name == "LIVE", timeout=10)


async def test_no_cursor_is_sent_within_a_batch(
    serve: Serve, database: Database, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heartbeats arrive at any time, also while a batch of many parts is being sent."""
    monkeypatch.setattr(
        "feed.upkeep.heartbeats._MISSED_LIMIT", 1000
    )  # a client may be late by many of these heartbeats
    services = await serve(chunk_rows=1, heartbeat_interval=0.02)
    client = await services.open(transport)
    seqs = await update_many(database)
    await _collect_each_once(client, seqs)
    with_cursor = [n for n, m in enumerate(client.messages) if m.cursor is not None]
    first = next(n for n, m in enumerate(client.messages) if m.seq == seqs[0])
    last = next(n for n, m in enumerate(client.messages) if m.seq == seqs[-1])
    assert [n for n in with_cursor if first <= n < last] == []


async def test_a_rejected_cursor_is_replaced_only_by_the_reset(services: Services, transport: str) -> None:
    client = await services.open(transport, "none.1.1..0.00000000", wait_for_auth=False)
    hello = await client.next("auth_success")
    assert hello.body["resume"] == "reset"
    assert "cursor" not in hello.body
    assert hello.cursor is None
    assert (await client.next("reset")).cursor is not None
