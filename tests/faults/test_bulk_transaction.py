"""One transaction of very many rows is read in parts: the memory it takes does not grow with it."""

import tracemalloc

import pytest

from tests.support.database import Database
from tests.support.services import Serve

ROWS = 20_000
MIB = 1024 * 1024


@pytest.mark.parametrize("transport", ["websocket-batch", "sse", "api-events"])
async def test_twenty_thousand_rows_arrive_whole_and_once(serve: Serve, database: Database, transport: str) -> None:
    services = await serve(resync_threshold=ROWS * 2, client_budget=64 * MIB)
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO opportunities (id, board_id, notes) SELECT 'n' || n, 'b1', repeat('x', 200) FROM generate_series(1, %s) n",
        [ROWS],
    )
    events = await client.collect(ROWS, timeout=30)
    assert [m.body["opportunityId"] for m in events] == [f"n{n}" for n in range(1, ROWS + 1)]
    assert [n for n, m in enumerate(events) if m.cursor is not None] == [ROWS - 1]


async def test_the_memory_is_that_of_a_part(serve: Serve, database: Database) -> None:
    services = await serve(resync_threshold=ROWS * 20, chunk_rows=200)
    hub = await services.hub("websocket")
    hub.publisher.replay_buffer._budget = MIB
    tracemalloc.start()
    try:
        peaks = []
        for rows in (2_000, ROWS):
            place = str(hub.tailer.head)
            await database.execute(
                "INSERT INTO opportunities (id, board_id, notes) "
                "SELECT gen_random_uuid()::text, 'b1', repeat('x', 500) FROM generate_series(1, %s)",
                [rows],
            )
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            await hub.tailer.wait_for_pass()
            assert str(hub.tailer.head) != place
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    # A row is about 1 KiB as text: all of them at once would be some 40 MiB.
    assert max(peaks) < 8 * MIB, peaks
