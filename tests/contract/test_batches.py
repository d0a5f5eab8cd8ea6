"""On one connection nothing is sent twice and no cursor goes back, whatever fails while a batch is sent (see Client.broken)."""

import psycopg
import pytest

from feed.delivery.publisher import Publisher
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import Client, Message
from tests.support.until import until

KIB = 1024
ROWS = 60


async def many(database: Database, size: int = 20 * KIB) -> list[int]:
    """Change so many cards at once, each by so many bytes; the numbers of the changes in the log."""
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


async def _all_of(client: Client, seqs: list[int]) -> list[Message]:
    """Read to the last of these; each must have come, once."""
    events = await client.collect_to(seqs[-1], timeout=20)
    held: list[int | None] = [m.seq for m in client.messages if m.seq in set(seqs)]
    assert held == seqs
    return events


def _kill(database: Database, application: str) -> None:
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [application],
        )


async def test_a_client_that_falls_behind_inside_a_batch_gets_the_rest_of_it(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(chunk_rows=3, client_budget=64 * KIB)
    hub = await services.hub(transport)
    slow = await services.open(transport, buffer=8 * KIB)
    (subscription,) = hub.connections
    slow.pause()
    seqs = await many(database)
    await until(lambda: hub.tailer.head.anchor >= seqs[-1])
    assert subscription.state.name == "BEHIND"
    assert subscription.interrupted_at is not None
    slow.resume()
    await _all_of(slow, seqs)
    await until(lambda: subscription.state.name == "LIVE", timeout=10)
    await until(lambda: slow.cursor == str(hub.tailer.head), timeout=10)
    assert len(slow.messages) >= ROWS


async def test_a_client_whose_batch_is_forgotten_comes_back_with_its_cursor(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(chunk_rows=3, client_budget=64 * KIB)
    hub = await services.hub(transport)
    slow = await services.open(transport, buffer=8 * KIB)
    (subscription,) = hub.connections
    slow.pause()
    seqs = await many(database)
    await until(lambda: hub.tailer.head.anchor >= seqs[-1])
    assert subscription.interrupted_at is not None
    hub.publisher.replay_buffer.clear()
    hub.publisher.replay_buffer.record(hub.tailer.head)
    slow.resume()
    await slow.end(timeout=20)
    assert slow.broken is None
    again = await services.open(transport, slow.cursor)
    await again.collect_to(seqs[-1], timeout=20)
    assert [m.seq for m in again.messages if m.seq in set(seqs)] == seqs


async def test_a_pass_that_fails_in_the_middle_goes_on_where_it_was(
    serve: Serve, database: Database, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = await serve(chunk_rows=3)
    client = await services.open(transport)
    hub = await services.hub(transport)
    parts = 0
    publish = Publisher.publish

    def failing(self: Publisher, part: object) -> None:
        nonlocal parts
        publish(self, part)  # type: ignore[arg-type]
        if self is hub.publisher:
            parts += 1
            if parts in {4, 9}:
                _kill(database, "boardcast-tailer")

    monkeypatch.setattr(Publisher, "publish", failing)
    seqs = await many(database, 60 * KIB)
    await _all_of(client, seqs)
    assert parts > ROWS // 3
    await until(lambda: client.cursor == str(hub.tailer.head))
    await database.execute("UPDATE opportunities SET notes = 'y' WHERE id = 'o1'")
    assert (await client.next_event()).body["opportunityId"] == "o1"


async def test_a_catch_up_that_fails_in_the_middle_goes_on_where_it_was(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(chunk_rows=3, client_budget=256 * KIB)
    first = await services.open(transport)
    first.cut()
    seqs = await many(database, 60 * KIB)
    await services.stop()
    client = await services.open(transport, first.cursor, buffer=8 * KIB)
    hub = await services.hub(transport)
    (subscription,) = hub.connections
    client.pause()
    await until(lambda: subscription.sink.pending() > 128 * KIB)
    _kill(database, f"boardcast-{hub.service}")
    client.resume()
    await _all_of(client, seqs)
    await until(lambda: subscription.state.name == "LIVE", timeout=10)


async def test_no_cursor_comes_while_a_part_is_held(serve: Serve, database: Database, transport: str) -> None:
    """Heartbeats and renewed tokens come at any time; a batch of many parts is being sent."""
    services = await serve(chunk_rows=1, heartbeat_interval=0.02)
    client = await services.open(transport)
    seqs = await many(database)
    await _all_of(client, seqs)
    places = [n for n, m in enumerate(client.messages) if m.cursor is not None]
    first = next(n for n, m in enumerate(client.messages) if m.seq == seqs[0])
    last = next(n for n, m in enumerate(client.messages) if m.seq == seqs[-1])
    assert [n for n in places if first <= n < last] == []


async def test_a_refused_cursor_is_not_replaced_before_the_reset(services: Services, transport: str) -> None:
    client = await services.open(transport, "none.1.1..0.00000000", greeted=False)
    hello = await client.next("auth_success")
    assert hello.body["resume"] == "reset"
    assert "cursor" not in hello.body
    assert hello.cursor is None
    assert (await client.next("reset")).cursor is not None
