"""A transaction with very many rows is read in parts, so memory does not grow with its size."""

import tracemalloc

import pytest

from tests.support.database import Database
from tests.support.services import Serve

ROWS = 20_000
MIB = 1024 * 1024


@pytest.mark.parametrize("transport", ["websocket-batch", "sse", "api-events"])
async def test_a_transaction_of_20000_rows_arrives_complete_and_once(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(resync_threshold=ROWS * 2, client_budget=64 * MIB)
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO opportunities (id, board_id, notes) SELECT 'n' || n, 'b1', repeat('x', 200) FROM generate_series(1, %s) n",
        [ROWS],
    )
    events = await client.collect(ROWS, timeout=30)
    assert [m.body["opportunityId"] for m in events] == [f"n{n}" for n in range(1, ROWS + 1)]
    assert [n for n, m in enumerate(events) if m.cursor is not None] == [ROWS - 1]


async def test_memory_is_bounded_by_the_size_of_a_part(serve: Serve, database: Database) -> None:
    services = await serve(resync_threshold=ROWS * 20, chunk_rows=200)
    runtime = await services.runtime("websocket")
    runtime.publisher.replay_buffer._budget = MIB
    tracemalloc.start()
    try:
        peaks = []
        for rows in (2_000, ROWS):
            head = str(runtime.tailer.head)
            await database.execute(
                "INSERT INTO opportunities (id, board_id, notes) "
                "SELECT gen_random_uuid()::text, 'b1', repeat('x', 500) FROM generate_series(1, %s)",
                [rows],
            )
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            await runtime.tailer.wait_for_pass()
            assert str(runtime.tailer.head) != head
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    # A row is about 1 KiB as text: all of them at once would take about 40 MiB.
    assert max(peaks) < 8 * MIB, peaks
