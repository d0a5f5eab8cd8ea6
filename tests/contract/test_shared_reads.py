"""Clients that return with the same cursor share one read of the log, however far back it starts."""

import asyncio

import pytest

from feed.recovery.log_read import ReadRequest
from feed.recovery.log_source import _MAX_CONCURRENT
from feed.runtime import Runtime
from feed.wire.cursor import Cursor
from tests.support.database import Database
from tests.support.services import Serve, Services, summaries
from tests.support.streams import Client
from tests.support.until import until

CROWD = 9
WRITES = 5


async def _write(database: Database, number: int, size: int = 1) -> None:
    async with await database.connect() as writer:
        for n in range(number):
            await writer.execute(
                "UPDATE opportunities SET notes = repeat(%s, %s) WHERE id = 'o1'", ["abcdefghij"[n % 10], size]
            )


async def _cursor_of_the_last_run(services: Services, transport: str) -> str:
    """A cursor from before a restart, which is older than the new replay buffer."""
    client = await services.open(transport)
    assert client.cursor is not None
    await services.stop()
    return client.cursor


def _reads(runtime: Runtime, reader: str) -> float:
    return runtime.metrics.registry.get_sample_value("boardcast_log_reads_total", {"reader": reader}) or 0


async def _reconnect_crowd(services: Services, transport: str, cursor: str) -> list[Client]:
    ana = [services.open(transport, cursor) for _ in range(CROWD)]
    bruno = [services.open(transport, cursor, user="bruno", boards=["b1"]) for _ in range(CROWD)]
    return await asyncio.gather(*ana, *bruno)


async def test_clients_with_the_same_cursor_share_one_read(services: Services, database: Database) -> None:
    transport = "websocket"
    cursor = await _cursor_of_the_last_run(services, transport)
    await _write(database, WRITES)
    runtime = await services.runtime(transport)
    for _ in range(2):  # also when they come a little later
        events = [await client.collect(WRITES) for client in await _reconnect_crowd(services, transport, cursor)]
        assert {tuple(m.raw for m in received) for received in events} == {tuple(m.raw for m in events[0])}
        assert [m.body["version"] for m in events[0]] == list(range(2, WRITES + 2))
    assert _reads(runtime, "shared") == 1
    assert _reads(runtime, "alone") == 0


async def test_clients_of_a_shared_read_also_get_the_changes_after_it(services: Services, database: Database) -> None:
    transport = "websocket"
    cursor = await _cursor_of_the_last_run(services, transport)
    await _write(database, WRITES)
    early = await services.open(transport, cursor)
    await early.collect(WRITES)
    await _write(database, WRITES, 2)
    for client in [early, *await _reconnect_crowd(services, transport, cursor)]:
        await client.collect(WRITES if client is early else 2 * WRITES)
    runtime = await services.runtime(transport)
    assert _reads(runtime, "shared") == 1


async def test_clients_with_other_boards_need_another_read(services: Services, database: Database) -> None:
    cursor = await _cursor_of_the_last_run(services, "websocket")
    await _write(database, 1)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    clients = [await services.open("websocket", cursor, user=user) for user in ("ana", "bruno", "bruno")]
    seen = [summaries(await client.collect(1 if place == 0 else 2)) for place, client in enumerate(clients)]
    assert (
        seen == [[("opportunity_updated", "o1")]] + [[("opportunity_updated", "o1"), ("opportunity_created", "x")]] * 2
    )
    assert _reads(await services.runtime("websocket"), "shared") == 2


async def test_only_the_beginning_of_a_long_read_is_shared(serve: Serve, database: Database) -> None:
    services = await serve(chunk_rows=3)
    cursor = await _cursor_of_the_last_run(services, "websocket")
    await _write(database, 40, 20_000)
    clients = [await services.open("websocket", cursor) for _ in range(3)]
    for client in clients:
        assert [m.body["version"] for m in await client.collect(40)] == list(range(2, 42))
    runtime = await services.runtime("websocket")
    assert _reads(runtime, "shared") == 1
    assert _reads(runtime, "alone") >= 2, "one of the three continues the shared read, the others read alone"


async def test_a_lone_client_recovers_a_long_way_with_one_read(serve: Serve, database: Database) -> None:
    services = await serve(chunk_rows=3)
    cursor = await _cursor_of_the_last_run(services, "websocket")
    await _write(database, 40, 20_000)
    client = await services.open("websocket", cursor)
    assert [m.body["version"] for m in await client.collect(40)] == list(range(2, 42))
    runtime = await services.runtime("websocket")
    assert (_reads(runtime, "shared"), _reads(runtime, "alone")) == (1, 0)


async def test_an_unused_rest_of_a_shared_read_is_closed(serve: Serve, database: Database) -> None:
    services = await serve(chunk_rows=3)
    cursor = await _cursor_of_the_last_run(services, "websocket")
    await _write(database, 40, 20_000)
    runtime = await services.runtime("websocket")
    shared_reads, request = (
        runtime.recovery_tasks._shared_reads,
        ReadRequest(Cursor.parse(cursor), frozenset({"b1"}), collapse_from=None),
    )
    read = shared_reads.get_or_start(request)
    await read.finished.wait()
    assert read.end is not None
    assert read.remainder is not None
    await until(lambda: not shared_reads._tasks, what="the shared read to be closed")
    assert read.take_remainder(read.end) is None
    assert shared_reads._source._semaphore._value == _MAX_CONCURRENT
    in_use = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %%'"
    assert await database.execute(in_use) == [{"n": 0}]
    shared = [event.seq for batch in read.batches for event in batch.events]
    rest = [
        event.seq async for batch, _ in shared_reads.read_remainder(request, read, read.end) for event in batch.events
    ]
    (found,) = await database.execute(
        "SELECT array_agg(seq ORDER BY seq) AS all FROM feed.log WHERE relation = 'opportunities'"
    )
    assert shared + rest == found["all"][-40:]


async def test_an_open_shared_read_does_not_delay_the_stop(
    serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.recovery.shared_reads._KEEP_OPEN_SECONDS", 60.0)
    services = await serve(chunk_rows=3)
    cursor = await _cursor_of_the_last_run(services, "websocket")
    await _write(database, 40, 20_000)
    runtime = await services.runtime("websocket")
    request = ReadRequest(Cursor.parse(cursor), frozenset({"b1"}), collapse_from=None)
    read = runtime.recovery_tasks._shared_reads.get_or_start(request)
    await read.finished.wait()
    async with asyncio.timeout(5):
        await services.stop()
    assert read.take_remainder(read.end) is None


async def test_clients_of_a_shared_read_get_only_their_own_grants(services: Services, database: Database) -> None:
    cursor = await _cursor_of_the_last_run(services, "websocket")
    await database.execute("DELETE FROM feed.board_members WHERE user_id = 'ana'")
    await database.execute("INSERT INTO feed.board_members (board_id, user_id, role) VALUES ('b1', 'ana', 'viewer')")
    await _write(database, 1)
    ana = await services.open("websocket", cursor)
    bruno = await services.open("websocket", cursor, user="bruno", boards=["b1"])
    await ana.collect(2)  # the revocation and grant, and the card
    await bruno.collect(3)  # the two rows of board_members, and the card
    rights = [[m.type for m in client.messages if m.type.startswith("board_")] for client in (ana, bruno)]
    assert rights == [["board_revoked", "board_granted"], []]
    assert _reads(await services.runtime("websocket"), "shared") == 1


async def test_an_invalid_cursor_is_checked_once_for_all_clients(services: Services, database: Database) -> None:
    cursor = await _cursor_of_the_last_run(services, "websocket")
    await _write(database, 1)
    await database.execute("SELECT feed.reset_feed()")
    clients = await asyncio.gather(*(services.open("websocket", cursor) for _ in range(CROWD)))
    for client in clients:
        assert (await client.next("reset")).body["reason"] == "foreign"
    assert _reads(await services.runtime("websocket"), "shared") == 1
