"""A client resumes exactly at its cursor, on any transport and any instance, after any restart."""

import itertools

import pytest

from tests.support.database import Database
from tests.support.services import PEOPLE_SQL, Serve, Services, serving
from tests.support.streams import TRANSPORTS, Message, RefusedError
from tests.support.until import until


async def _write(database: Database, number: int = 1) -> None:
    for _ in range(number):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = 'o1'")


def _versions(messages: list[Message]) -> list[int]:
    return [m.body["version"] for m in messages]


async def test_a_resumed_client_misses_and_repeats_nothing(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await _write(database, 3)
    seen = await client.collect(3)
    client.cut()
    await _write(database, 4)
    client = await services.open(transport, client.cursor, wait_for_auth=False)
    assert (await client.next()).body["resume"] == "resumed"
    seen += await client.collect(4)
    await _write(database, 2)
    seen += await client.collect(2)
    assert _versions(seen) == list(range(2, 11))
    assert len({m.seq for m in seen}) == 9


async def test_resuming_from_the_cursor_of_an_event_continues_after_it(
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


async def test_a_cursor_is_valid_on_all_transports_in_every_order(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    cursor, seen, written = client.cursor, [], 0
    for order in itertools.permutations(TRANSPORTS):
        for transport in order:
            await _write(database)  # no client is connected
            client = await services.open(transport, cursor)
            await _write(database)
            written += 2
            seen += await client.collect(2)
            client.cut()
            cursor = client.cursor
    assert _versions(seen) == list(range(2, written + 2))


async def test_a_cursor_is_valid_after_a_restart(services: Services, database: Database, transport: str) -> None:
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


async def test_a_cursor_is_valid_on_another_instance(serve: Serve, database: Database, transport: str) -> None:
    one, other = await serve(), await serve()
    client = await one.open(transport)
    await _write(database, 2)
    seen = await client.collect(2)
    client.cut()
    await other.runtime(transport)
    await _write(database)
    again = await other.open(transport, client.cursor)
    seen += await again.collect(1)
    assert _versions(seen) == [2, 3, 4]


async def test_a_stream_continues_from_the_cursor_of_a_snapshot(
    services: Services, database: Database, transport: str
) -> None:
    async with services.api_client("ana") as api:
        await services.runtime(transport)
        snapshots = []
        for _ in range(3):
            snapshots.append((await api.get("/api/boards/b1")).json())
            await _write(database)
    for snapshot in snapshots:
        client = await services.open(transport, snapshot["cursor"])
        (card,) = snapshot["opportunities"]
        wanted = list(range(card["version_number"] + 1, 5))
        assert _versions(await client.collect(len(wanted))) == wanted


async def test_a_client_disconnected_within_a_batch_gets_the_batch_again(
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
    await services.stop()  # now from the log, also in chunks
    client = await services.open(transport, start)
    again = await client.collect(10)
    # The cursors may differ in which other transactions of the server, say of another database, were in progress.
    assert [(m.seq, m.cursor is not None) for m in again] == [(m.seq, m.cursor is not None) for m in seen]


async def test_a_client_that_has_missed_much_may_ask_for_the_newest_states(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve()
    start = (await services.open(transport)).cursor
    await database.execute(
        "INSERT INTO opportunities (id, board_id, title) VALUES ('n1', 'b1', 'New'), ('n2', 'b1', 'x')"
    )
    async with await database.connect(autocommit=False) as writer:
        for number in range(200):
            await writer.execute("UPDATE opportunities SET value = %s WHERE board_id = 'b1'", (number,))
            await writer.commit()
        await writer.execute("DELETE FROM opportunities WHERE id = 'n2'")
    (newest,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    await (await services.open(transport, start)).collect_to(newest["seq"])  # the feed has read all of it
    for _ in range(2):
        client = await services.open(transport, start, collapse=True)
        collapsed = {event.body["opportunityId"]: event.body for event in await client.collect(3)}
        assert collapsed["o1"]["type"] == "opportunity_updated"
        assert collapsed["o1"]["changes"].keys() == {"value", "version_number", "last_sync_at"}
        assert (collapsed["o1"]["collapsed"], collapsed["o1"]["version"]) == (200, 201)
        assert (collapsed["n1"]["type"], collapsed["n1"]["opportunity"]["value"]) == ("opportunity_created", 199)
        assert collapsed["n2"]["type"] == "opportunity_deleted"
        await services.stop()  # now the replay buffer is empty


async def test_a_client_that_has_missed_little_gets_each_change_from_the_replay_buffer(
    services: Services, database: Database, transport: str
) -> None:
    start = (await services.open(transport)).cursor
    await _write(database, 3)
    await (await services.open(transport, start)).collect(3)  # the feed has read them
    recoveries = (await services.runtime(transport)).metrics.recoveries
    before = {source: recoveries.labels(source)._value.get() for source in ("buffer", "log", "collapsed")}
    client = await services.open(transport, start, collapse=True)
    assert _versions(await client.collect(3)) == [2, 3, 4]
    await client.next("presence_state")
    after = {source: recoveries.labels(source)._value.get() for source in before}
    assert after == before | {"buffer": before["buffer"] + 1}


async def test_whether_to_collapse_is_true_or_false(services: Services) -> None:
    headers = {"Authorization": f"Bearer {services.token('ana')}"}
    for transport in ("sse", "api-events"):
        for value in ("yes", "", "TRUE", "1"):
            with pytest.raises(RefusedError) as refused:
                await services.request_stream(transport, f"?collapse={value}", headers=headers)
            assert refused.value.status == 422
            assert refused.value.problem["type"] == "/problems/invalid-input"


async def test_a_long_read_pass_that_ends_with_other_boards_still_sends_its_cursor(
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
    heartbeat = await client.next("heartbeat")  # long before the first regular heartbeat
    assert heartbeat.cursor is not None
    again = await services.open(transport, heartbeat.cursor)
    await _write(database)
    assert (await again.next_event()).body["opportunityId"] == "o1"


async def test_clients_that_resume_from_the_buffer_cost_no_queries(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve()
    client = await services.open(transport)
    cursor = client.cursor
    await _write(database, 3)
    await client.collect(3)
    runtime = await services.runtime(transport)
    before = runtime.pool.get_stats()["requests_num"]
    crowd = [await services.open(transport, cursor) for _ in range(15)]
    for client in crowd:
        assert _versions(await client.collect(3)) == [2, 3, 4]
    assert runtime.metrics.registry.get_sample_value("boardcast_recoveries_total", {"source": "buffer"}) == len(crowd)
    # The service's own tasks make a few queries meanwhile.
    assert runtime.pool.get_stats()["requests_num"] < before + len(crowd)


async def test_disconnected_clients_leave_no_state(services: Services, transport: str) -> None:
    runtime = await services.runtime(transport)
    clients = [await services.open(transport) for _ in range(5)]
    assert len(runtime.connections) == 5
    for client in clients[:3]:
        client.cut()
    for client in clients[3:]:
        await client.close()
    await until(lambda: len(runtime.connections) == 0)
    assert not runtime.recovery_tasks._tasks
    assert not runtime.connections._groups


async def test_a_cursor_from_before_the_first_change_can_be_resumed(database: Database, transport: str) -> None:
    """As after an adoption: the tables have rows, the log is empty, and transactions that log nothing advance the snapshot."""
    async with await database.connect() as conn:
        await conn.execute("SET session_replication_role = replica")
        await conn.execute(PEOPLE_SQL)
    async with serving(database) as services:
        runtime = await services.runtime(transport)
        assert runtime.tailer.head.anchor == 0
        async with services.api_client() as http:
            for _ in range(3):
                await database.execute("SELECT pg_current_xact_id()")
            snapshot = (await http.get("/api/boards/b1", headers={"Cache-Control": "no-cache"})).json()
        client = await services.open(transport, snapshot["cursor"], wait_for_auth=False)
        assert (await client.next("auth_success")).body["resume"] == "resumed"
        await _write(database)
        assert (await client.next("opportunity_updated")).body["version"] == 2
