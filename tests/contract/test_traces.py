"""The trace context of a write, from the HTTP request through the transaction to the events."""

from typing import Any

import httpx
import pytest

from tests.support.database import Database
from tests.support.services import Services

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
INVALID = [
    "",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
    "'; DROP TABLE users; --",
]


async def _write(services: Services, **headers: str) -> httpx.Response:
    """Rename the card as Ana, whatever its version."""
    async with services.api_client() as client:
        title = headers.get("X-Mutation-Id", "no mutation id")
        return await client.patch("/api/opportunities/o1", json={"title": title}, headers={"If-Match": "*", **headers})


async def _logged(database: Database) -> list[dict[str, Any]]:
    return await database.execute(
        "SELECT origin, traceparent FROM feed.trigger_log WHERE relation = 'opportunities' ORDER BY seq"
    )


async def test_the_trace_of_a_request_is_in_the_event(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    answer = await _write(services, traceparent=TRACE, **{"X-Mutation-Id": "m-1"})
    assert answer.status_code == 200, answer.text
    body = (await client.next_event()).body
    assert (body["origin"], body["traceparent"]) == ("m-1", TRACE)
    assert (await _logged(database))[-1] == {"origin": "m-1", "traceparent": TRACE}
    await _write(services, **{"X-Mutation-Id": "m-2"})
    body = (await client.next_event()).body
    assert (body["origin"], "traceparent" in body) == ("m-2", False)


async def test_recovered_events_have_the_trace(services: Services, transport: str) -> None:
    cursor = (await services.open(transport)).cursor
    for number in range(3):
        await _write(services, traceparent=TRACE, **{"X-Mutation-Id": f"m-{number}"})
    await services.stop()  # the replay buffer is empty after a restart, so recovery reads the log
    again = await services.open(transport, cursor=cursor)
    assert [event.body["traceparent"] for event in await again.collect(3)] == [TRACE] * 3


async def test_each_kind_of_write_has_the_trace(services: Services, database: Database) -> None:
    await database.execute("""UPDATE feed.boards SET phases = '[{"id": "new"}]' WHERE id = 'b1'""")
    async with services.api_client() as client:
        client.headers.update({"If-Match": "*", "traceparent": TRACE})
        answers = [
            await client.post("/api/opportunities", json={"board_id": "b1", "phase": "new", "title": "x"}),
            await client.patch("/api/opportunities/o1", json={"title": "y"}),
            await client.post("/api/opportunities/o1/versions/1/restore"),
            await client.post(
                "/api/opportunities/o1/resolve-conflict",
                json={"clientVersion": 1, "serverVersion": 3, "resolution": "client", "clientData": {"title": "z"}},
            ),
            await client.delete("/api/opportunities/o1"),
        ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 204], [a.text for a in answers]
    assert [row["traceparent"] for row in (await _logged(database))[1:]] == [TRACE] * 5


@pytest.mark.parametrize("traceparent", INVALID)
async def test_an_invalid_trace_context_is_ignored(services: Services, database: Database, traceparent: str) -> None:
    assert (await _write(services, traceparent=traceparent)).status_code == 200
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("SELECT set_config('feed.traceparent', %s, true)", [traceparent])
        await writer.execute("UPDATE opportunities SET title = 'by hand'")
    assert [row["traceparent"] for row in await _logged(database)] == [None] * 3


async def test_the_known_part_of_a_future_traceparent_version_is_used(services: Services, database: Database) -> None:
    await _write(services, traceparent=f"01{TRACE[2:]}-unknown-fields")
    assert (await _logged(database))[-1]["traceparent"] == TRACE


async def test_an_sql_writer_sets_the_trace_of_its_transaction(database: Database) -> None:
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b9', 'Nine', '[]')")
        await writer.execute("SELECT set_config('feed.traceparent', %s, true)", [TRACE])
        await writer.execute(
            "INSERT INTO opportunities (id, board_id, title) SELECT 'x' || n, 'b9', 'x' FROM generate_series(1, 3) AS n"
        )
        await writer.execute("UPDATE opportunities SET title = 'y' WHERE id = 'x1'")
        await writer.execute("DELETE FROM opportunities")
        await writer.commit()
        await writer.execute("UPDATE feed.boards SET name = 'Ten' WHERE id = 'b9'")
    assert {row["traceparent"] for row in await _logged(database)} == {TRACE}
    (last,) = await database.execute("SELECT traceparent, seq FROM feed.trigger_log ORDER BY seq DESC LIMIT 1")
    assert last["traceparent"] is None
    (explained,) = await database.execute(
        "SELECT what FROM feed.explain((SELECT min(seq) FROM feed.log WHERE relation = 'opportunities')) WHERE step = 'from'"
    )
    assert explained["what"].endswith("trace 0af7651916cd43dd8448eb211c80319c")
