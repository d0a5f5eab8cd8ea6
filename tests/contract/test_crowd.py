"""Those who come back together: what one cursor has not seen is read once, whoever asks, and however long ago it was."""

import asyncio

import pytest

from feed.recovery.log_read import ReadRequest
from feed.recovery.shared_reads import _MAX_CONCURRENT
from feed.runtime import Runtime
from feed.wire.cursor import Cursor
from tests.support.database import Database
from tests.support.services import Serve, Services, told
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


async def _away(services: Services, transport: str) -> str:
    """The cursor of one who was here, before the service ended: the next one's replay buffer does not go back so far."""
    client = await services.open(transport)
    assert client.cursor is not None
    await services.stop()
    return client.cursor


def _reads(hub: Runtime, reader: str) -> float:
    return hub.metrics.registry.get_sample_value("boardcast_log_reads_total", {"reader": reader}) or 0


async def _back(services: Services, transport: str, cursor: str) -> list[Client]:
    ana = [services.open(transport, cursor) for _ in range(CROWD)]
    bruno = [services.open(transport, cursor, user="bruno", boards=["b1"]) for _ in range(CROWD)]
    return await asyncio.gather(*ana, *bruno)


async def test_a_crowd_costs_one_read(services: Services, database: Database) -> None:
    transport = "websocket"
    cursor = await _away(services, transport)
    await _write(database, WRITES)
    hub = await services.hub(transport)
    for _ in range(2):  # those who come a little later too
        events = [await client.collect(WRITES) for client in await _back(services, transport, cursor)]
        assert {tuple(m.raw for m in one) for one in events} == {tuple(m.raw for m in events[0])}
        assert [m.body["version"] for m in events[0]] == list(range(2, WRITES + 2))
    assert _reads(hub, "shared") == 1
    assert _reads(hub, "alone") == 0


async def test_what_comes_after_the_read_is_told_to_all(services: Services, database: Database) -> None:
    transport = "websocket"
    cursor = await _away(services, transport)
    await _write(database, WRITES)
    early = await services.open(transport, cursor)
    await early.collect(WRITES)
    await _write(database, WRITES, 2)
    for client in [early, *await _back(services, transport, cursor)]:
        await client.collect(WRITES if client is early else 2 * WRITES)
    hub = await services.hub(transport)
    assert _reads(hub, "shared") == 1


async def test_other_boards_are_another_read(services: Services, database: Database) -> None:
    cursor = await _away(services, "websocket")
    await _write(database, 1)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    clients = [await services.open("websocket", cursor, user=user) for user in ("ana", "bruno", "bruno")]
    seen = [told(await client.collect(1 if place == 0 else 2)) for place, client in enumerate(clients)]
    assert (
        seen == [[("opportunity_updated", "o1")]] + [[("opportunity_updated", "o1"), ("opportunity_created", "x")]] * 2
    )
    assert _reads(await services.hub("websocket"), "shared") == 2


async def test_of_a_long_way_only_the_beginning_is_shared(serve: Serve, database: Database) -> None:
    services = await serve(chunk_rows=3)
    cursor = await _away(services, "websocket")
    await _write(database, 40, 20_000)
    clients = [await services.open("websocket", cursor) for _ in range(3)]
    for client in clients:
        assert [m.body["version"] for m in await client.collect(40)] == list(range(2, 42))
    hub = await services.hub("websocket")
    assert _reads(hub, "shared") == 1
    assert _reads(hub, "alone") >= 2, "of three one went on with the read that was begun"


async def test_who_comes_back_a_long_way_by_himself_costs_one_read(serve: Serve, database: Database) -> None:
    services = await serve(chunk_rows=3)
    cursor = await _away(services, "websocket")
    await _write(database, 40, 20_000)
    client = await services.open("websocket", cursor)
    assert [m.body["version"] for m in await client.collect(40)] == list(range(2, 42))
    hub = await services.hub("websocket")
    assert (_reads(hub, "shared"), _reads(hub, "alone")) == (1, 0)


async def test_a_read_that_nobody_goes_on_with_is_given_up(serve: Serve, database: Database) -> None:
    services = await serve(chunk_rows=3)
    cursor = await _away(services, "websocket")
    await _write(database, 40, 20_000)
    hub = await services.hub("websocket")
    readings, asked = (
        hub.recovery_tasks._shared_reads,
        ReadRequest(Cursor.parse(cursor), frozenset({"b1"}), collapsed=False),
    )
    reading = readings.get_or_start(asked)
    await reading.finished.wait()
    assert reading.end is not None
    assert reading.remainder is not None
    await until(lambda: not readings._tasks, what="it to be given up")
    assert reading.take_remainder(reading.end) is None
    assert readings._semaphore._value == _MAX_CONCURRENT
    in_use = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %%'"
    assert await database.execute(in_use) == [{"n": 0}]
    shared = [event.seq for batch in reading.batches for event in batch.events]
    rest = [
        event.seq async for batch, _ in readings.read_remainder(asked, reading, reading.end) for event in batch.events
    ]
    (found,) = await database.execute(
        "SELECT array_agg(seq ORDER BY seq) AS all FROM feed.log WHERE relation = 'opportunities'"
    )
    assert shared + rest == found["all"][-40:]


async def test_a_read_that_is_left_open_does_not_hold_up_the_stop(
    serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.recovery.shared_reads._KEEP_OPEN_SECONDS", 60.0)
    services = await serve(chunk_rows=3)
    cursor = await _away(services, "websocket")
    await _write(database, 40, 20_000)
    hub = await services.hub("websocket")
    asked = ReadRequest(Cursor.parse(cursor), frozenset({"b1"}), collapsed=False)
    reading = hub.recovery_tasks._shared_reads.get_or_start(asked)
    await reading.finished.wait()
    async with asyncio.timeout(5):
        await services.stop()
    assert reading.take_remainder(reading.end) is None


async def test_of_rights_each_is_told_his_own(services: Services, database: Database) -> None:
    cursor = await _away(services, "websocket")
    await database.execute("DELETE FROM board_members WHERE user_id = 'ana'")
    await database.execute("INSERT INTO board_members (board_id, user_id, role) VALUES ('b1', 'ana', 'viewer')")
    await _write(database, 1)
    ana = await services.open("websocket", cursor)
    bruno = await services.open("websocket", cursor, user="bruno", boards=["b1"])
    await ana.collect(2)  # that she was removed, and the card
    await bruno.collect(3)  # the two rows of board_members, and the card
    rights = [[m.type for m in client.messages if m.type.startswith("board_")] for client in (ana, bruno)]
    assert rights == [["board_revoked", "board_granted"], []]
    assert _reads(await services.hub("websocket"), "shared") == 1


async def test_a_cursor_that_is_not_good_is_looked_at_once(services: Services, database: Database) -> None:
    cursor = await _away(services, "websocket")
    await _write(database, 1)
    await database.execute("SELECT feed.reset_feed()")
    clients = await asyncio.gather(*(services.open("websocket", cursor) for _ in range(CROWD)))
    for client in clients:
        assert (await client.next("reset")).body["reason"] == "foreign"
    assert _reads(await services.hub("websocket"), "shared") == 1
