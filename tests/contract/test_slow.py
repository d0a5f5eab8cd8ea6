"""A client that does not read costs its cursor and no queue; it is brought back with the newest state of each row."""

import asyncio

from feed.delivery.subscription import State
from tests.support.database import Database
from tests.support.load import read_to, versions
from tests.support.services import Serve, told
from tests.support.streams import Message
from tests.support.until import until

KIB = 1024
BUDGET = 64 * KIB
BUFFER = 8 * KIB


async def _flood(database: Database, times: int, size: int = 100 * KIB) -> None:
    """Change o1 so often, each time by so many bytes."""
    async with await database.connect() as writer:
        for n in range(times):
            await writer.execute(
                "UPDATE opportunities SET notes = repeat(%s, %s) WHERE id = 'o1'", ["abcdefghij"[n % 10], size]
            )


def _changes(events: list[Message]) -> int:
    """How many there were. Who reads may have fallen behind too, while the machine had no time for it."""
    assert versions(events) == sorted(set(versions(events)))
    return sum(m.body.get("collapsed", 1) for m in events)


async def test_a_slow_client_falls_behind_and_is_brought_back_collapsed(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(client_budget=BUDGET)
    hub = await services.hub(transport)
    slow = await services.open(transport, buffer=BUFFER)
    (subscription,) = hub.connections
    quick = await services.open(transport, user="bruno")
    slow.pause()
    await _flood(database, 120)
    assert _changes(await read_to(quick, 121)) == 120
    await until(lambda: subscription.state is State.BEHIND)
    held = subscription.sink.pending()
    assert held < 3000 * KIB, "its budget and one sweep, which finds the more the later it is; 12 MB were written"
    await _flood(database, 40)
    await read_to(quick, 161)
    await asyncio.sleep(0)
    assert subscription.sink.pending() < held + KIB, "more than heartbeats"
    slow.resume()
    events = await read_to(slow, 161, timeout=20)
    assert _changes(events) == 160
    last = max(events, key=lambda m: m.body.get("collapsed", 1))
    assert last.body["collapsed"] > 20
    assert last.body["changes"]["version_number"] == last.body["version"]
    assert events[-1].cursor is not None
    await until(lambda: subscription.state is State.LIVE)
    await database.execute("UPDATE opportunities SET notes = 'small'")
    assert (await slow.next_event()).body["version"] == 162


async def test_a_card_that_came_while_a_client_was_slow_is_told_whole(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(client_budget=BUDGET)
    hub = await services.hub(transport)
    slow = await services.open(transport, buffer=BUFFER)
    (subscription,) = hub.connections
    slow.pause()
    await _flood(database, 120)
    await until(lambda: subscription.state is State.BEHIND)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('new', 'b1'), ('gone', 'b1')")
    await database.execute("UPDATE opportunities SET title = 'changed' WHERE id = 'new'")
    await database.execute("DELETE FROM opportunities WHERE id = 'gone'")
    await hub.tailer.wait_for_pass()
    slow.resume()
    events = [await slow.next_event(20)]
    while events[-1].body["opportunityId"] == "o1":
        events.append(await slow.next_event(20))
    events += await slow.collect(1)
    assert told(events[-2:]) == [("opportunity_created", "new"), ("opportunity_deleted", "gone")]
    assert events[-2].body["opportunity"]["title"] == "changed"
    assert [m.body["collapsed"] for m in events[-2:]] == [2, 2]


async def test_a_client_that_never_reads_is_dropped(serve: Serve, database: Database, transport: str) -> None:
    services = await serve(client_budget=BUDGET, drain_timeout=0.5)
    hub = await services.hub(transport)
    dead = await services.open(transport, buffer=BUFFER)
    quick = await services.open(transport, user="bruno")
    dead.pause()
    await _flood(database, 120)
    await read_to(quick, 121)
    await until(lambda: len(hub.connections) == 1)
    dead.resume()
    await dead.end()
    await database.execute("UPDATE opportunities SET notes = 'small'")
    assert (await quick.next_event()).body["version"] == 122


async def test_slow_ones_who_come_back_hold_up_nobody_else(serve: Serve, database: Database) -> None:
    transport = "websocket"
    services = await serve(client_budget=BUDGET, chunk_rows=20)
    first = await services.open(transport)
    start = first.cursor
    await first.close()
    await _flood(database, 150)
    await services.stop()
    hub = await services.hub(transport)
    for _ in range(6):
        slow = await services.open(transport, start, buffer=BUFFER, greeted=False)
        slow.pause()
    await until(lambda: sum(s.sink.pending() > BUDGET for s in hub.connections) >= 4)
    quick = await services.open(transport, start, user="bruno", greeted=False)
    assert _changes(await read_to(quick, 151, timeout=3)) == 150
