"""A slow client costs a cursor instead of a queue; it recovers with the newest state of each row."""

import asyncio

from feed.delivery.subscription import State
from tests.support.database import Database
from tests.support.load import read_until_version, versions
from tests.support.services import Serve, summaries
from tests.support.streams import Message
from tests.support.until import until

KIB = 1024
BUDGET = 64 * KIB
BUFFER = 8 * KIB


async def _flood(database: Database, times: int, size: int = 100 * KIB) -> None:
    """Update o1 `times` times, with `size` bytes each."""
    async with await database.connect() as writer:
        for n in range(times):
            await writer.execute(
                "UPDATE opportunities SET notes = repeat(%s, %s) WHERE id = 'o1'", ["abcdefghij"[n % 10], size]
            )


def _count_changes(events: list[Message]) -> int:
    """The number of changes that events stand for: on a busy machine the quick client may fall behind too."""
    assert versions(events) == sorted(set(versions(events)))
    return sum(m.body.get("collapsed", 1) for m in events)


async def test_a_slow_client_falls_behind_and_recovers_with_collapsed_events(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(client_budget=BUDGET)
    runtime = await services.runtime(transport)
    slow = await services.open(transport, buffer=BUFFER)
    (subscription,) = runtime.connections
    quick = await services.open(transport, user="bruno")
    slow.pause()
    await _flood(database, 120)
    assert _count_changes(await read_until_version(quick, 121)) == 120
    await until(lambda: subscription.state is State.BEHIND)
    pending = subscription.sink.pending()
    assert pending < 3000 * KIB, (
        "at most the budget and one read pass, which grows on a slow machine; 12 MB were written"
    )
    await _flood(database, 40)
    await read_until_version(quick, 161)
    await asyncio.sleep(0)
    assert subscription.sink.pending() < pending + KIB, "only heartbeats are added"
    slow.resume()
    events = await read_until_version(slow, 161, timeout=20)
    assert _count_changes(events) == 160
    last = max(events, key=lambda m: m.body.get("collapsed", 1))
    assert last.body["collapsed"] > 20
    assert last.body["changes"]["version_number"] == last.body["version"]
    assert events[-1].cursor is not None
    await until(lambda: subscription.state is State.LIVE)
    await database.execute("UPDATE opportunities SET notes = 'small'")
    assert (await slow.next_event()).body["version"] == 162


async def test_a_card_created_while_a_client_was_slow_is_sent_whole(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(client_budget=BUDGET)
    runtime = await services.runtime(transport)
    slow = await services.open(transport, buffer=BUFFER)
    (subscription,) = runtime.connections
    slow.pause()
    await _flood(database, 120)
    await until(lambda: subscription.state is State.BEHIND)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('new', 'b1'), ('gone', 'b1')")
    await database.execute("UPDATE opportunities SET title = 'changed' WHERE id = 'new'")
    await database.execute("DELETE FROM opportunities WHERE id = 'gone'")
    await runtime.tailer.wait_for_pass()
    slow.resume()
    events = [await slow.next_event(20)]
    while events[-1].body["opportunityId"] == "o1":
        events.append(await slow.next_event(20))
    events += await slow.collect(1)
    assert summaries(events[-2:]) == [("opportunity_created", "new"), ("opportunity_deleted", "gone")]
    assert events[-2].body["opportunity"]["title"] == "changed"
    assert [m.body["collapsed"] for m in events[-2:]] == [2, 2]


async def test_a_slow_client_is_dropped_after_the_drain_timeout(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(client_budget=BUDGET, drain_timeout=0.5)
    runtime = await services.runtime(transport)
    dead = await services.open(transport, buffer=BUFFER)
    quick = await services.open(transport, user="bruno")
    dead.pause()
    await _flood(database, 120)
    await read_until_version(quick, 121)
    await until(lambda: len(runtime.connections) == 1)
    dead.resume()
    await dead.wait_closed()
    await database.execute("UPDATE opportunities SET notes = 'small'")
    assert (await quick.next_event()).body["version"] == 122


async def test_slow_recovering_clients_do_not_delay_others(serve: Serve, database: Database) -> None:
    transport = "websocket"
    services = await serve(client_budget=BUDGET, chunk_rows=20)
    first = await services.open(transport)
    start = first.cursor
    await first.close()
    await _flood(database, 150)
    await services.stop()
    runtime = await services.runtime(transport)
    for _ in range(6):
        slow = await services.open(transport, start, buffer=BUFFER, wait_for_auth=False)
        slow.pause()
    await until(lambda: sum(s.sink.pending() > BUDGET for s in runtime.connections) >= 4)
    quick = await services.open(transport, start, user="bruno", wait_for_auth=False)
    assert _count_changes(await read_until_version(quick, 151, timeout=3)) == 150
