"""A cursor brings a client back to exactly where it was: on any transport, any instance, after any restart."""

import itertools

from tests.support.database import Database
from tests.support.services import PEOPLE, Serve, Services, serving
from tests.support.streams import TRANSPORTS, Message
from tests.support.until import until


async def _write(database: Database, number: int = 1) -> None:
    for _ in range(number):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = 'o1'")


def _versions(messages: list[Message]) -> list[int]:
    return [m.body["version"] for m in messages]


async def test_nothing_is_lost_and_nothing_comes_twice(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await _write(database, 3)
    seen = await client.collect(3)
    client.cut()
    await _write(database, 4)
    client = await services.open(transport, client.cursor, greeted=False)
    assert (await client.next()).body["resume"] == "resumed"
    seen += await client.collect(4)
    await _write(database, 2)
    seen += await client.collect(2)
    assert _versions(seen) == list(range(2, 11))
    assert len({m.seq for m in seen}) == 9


async def test_the_cursor_of_any_event_but_the_last_is_none_and_of_the_last_resumes_after_it(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await _write(database, 5)
    seen = await client.collect(5)
    for message in seen:
        if message.cursor is not None:
            again = await services.open(transport, message.cursor)
            rest = await again.collect(5 - seen.index(message) - 1)
            assert [m.seq for m in rest] == [m.seq for m in seen[seen.index(message) + 1 :]]
    assert seen[-1].cursor is not None


async def test_one_cursor_moves_between_the_transports_in_every_order(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    cursor, seen, written = client.cursor, [], 0
    for order in itertools.permutations(TRANSPORTS):
        for transport in order:
            await _write(database)  # nobody is there
            client = await services.open(transport, cursor)
            await _write(database)
            written += 2
            seen += await client.collect(2)
            client.cut()
            cursor = client.cursor
    assert _versions(seen) == list(range(2, written + 2))


async def test_a_cursor_outlives_a_restart_of_the_services(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await _write(database)
    seen = await client.collect(1)
    await services.stop()
    await _write(database, 3)
    client = await services.open(transport, client.cursor)
    seen += await client.collect(3)
    await _write(database)
    seen += await client.collect(1)
    assert _versions(seen) == [2, 3, 4, 5, 6]


async def test_a_cursor_is_good_on_another_instance(serve: Serve, database: Database, transport: str) -> None:
    one, other = await serve(), await serve()
    client = await one.open(transport)
    await _write(database, 2)
    seen = await client.collect(2)
    client.cut()
    await other.hub(transport)
    await _write(database)
    again = await other.open(transport, client.cursor)
    seen += await again.collect(1)
    assert _versions(seen) == [2, 3, 4]


async def test_a_board_read_by_the_api_goes_on_as_a_stream(
    services: Services, database: Database, transport: str
) -> None:
    async with services.asking("ana") as api:
        await services.hub(transport)
        snapshots = []
        for _ in range(3):
            snapshots.append((await api.get("/api/boards/b1")).json())
            await _write(database)
    for snapshot in snapshots:
        client = await services.open(transport, snapshot["cursor"])
        (card,) = snapshot["opportunities"]
        wanted = list(range(card["version_number"] + 1, 5))
        assert _versions(await client.collect(len(wanted))) == wanted


async def test_a_client_that_was_cut_inside_a_batch_gets_the_batch_again(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(chunk_rows=3)
    client = await services.open(transport)
    start = client.cursor
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 10) AS n"
    )
    seen = await client.collect(10)
    assert [m.cursor is not None for m in seen] == [False] * 9 + [True]
    assert [m.body["opportunityId"] for m in seen] == [f"n{n}" for n in range(1, 11)]
    client = await services.open(transport, start)
    again = await client.collect(10)
    assert [m.seq for m in again] == [m.seq for m in seen]
    await services.stop()  # now from the log, in chunks too
    client = await services.open(transport, start)
    again = await client.collect(10)
    assert [(m.seq, m.cursor) for m in again] == [(m.seq, m.cursor) for m in seen]


async def test_a_long_sweep_that_ends_with_other_boards_still_gives_its_cursor(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(chunk_rows=2)
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('n1', 'b1'), ('n2', 'b1')")
        await writer.execute(
            "INSERT INTO opportunities (id, board_id) SELECT 'm' || n, 'b2' FROM generate_series(1, 9) AS n"
        )
    events = await client.collect(2)
    assert [m.cursor for m in events] == [None, None]
    beat = await client.next("heartbeat")  # long before the first regular one
    assert beat.cursor is not None
    again = await services.open(transport, beat.cursor)
    await _write(database)
    assert (await again.next_event()).body["opportunityId"] == "o1"


async def test_a_crowd_that_comes_back_costs_no_queries(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    cursor = client.cursor
    await _write(database, 3)
    await client.collect(3)
    hub = await services.hub(transport)
    before = (await hub.pool.getconn()), hub.pool.get_stats()["requests_num"]
    await hub.pool.putconn(before[0])
    crowd = [await services.open(transport, cursor) for _ in range(15)]
    for one in crowd:
        assert _versions(await one.collect(3)) == [2, 3, 4]
    assert hub.pool.get_stats()["requests_num"] == before[1]


async def test_leaving_leaves_nothing_behind(services: Services, transport: str) -> None:
    hub = await services.hub(transport)
    clients = [await services.open(transport) for _ in range(5)]
    assert len(hub.connections) == 5
    for client in clients[:3]:
        client.cut()
    for client in clients[3:]:
        await client.close()
    await until(lambda: len(hub.connections) == 0)
    assert not hub.recovery_tasks._tasks
    assert not hub.connections._groups


async def test_a_cursor_from_before_the_first_change_is_resumed(database: Database, transport: str) -> None:
    """As after an adoption: there are rows and no log, and time goes on by transactions that log nothing."""
    async with await database.connect() as conn:
        await conn.execute("SET session_replication_role = replica")
        await conn.execute(PEOPLE)
    async with serving(database) as services:
        hub = await services.hub(transport)
        assert hub.tailer.head.anchor == 0
        async with services.asking() as http:
            for _ in range(3):
                await database.execute("SELECT pg_current_xact_id()")
            snapshot = (await http.get("/api/boards/b1", headers={"Cache-Control": "no-cache"})).json()
        client = await services.open(transport, snapshot["cursor"], greeted=False)
        assert (await client.next("auth_success")).body["resume"] == "resumed"
        await _write(database)
        assert (await client.next("opportunity_updated")).body["version"] == 2
