"""A partition of the log is detached while services run: writes continue, `health` reports it, and its fix restores the log."""

import pytest

from tests.db.test_health import health, run_fix
from tests.support.database import Database
from tests.support.services import Services


@pytest.mark.parametrize(
    "detach",
    ["ALTER TABLE feed.log DETACH PARTITION feed.log_1", "ALTER TABLE feed.log DETACH PARTITION feed.log_2"],
    ids=["current", "next"],
)
async def test_a_detached_partition_is_reported_and_reattached_by_the_fix(
    services: Services, database: Database, detach: str
) -> None:
    clients = [await services.open(transport) for transport in ("websocket", "sse", "api-events")]
    await database.execute("UPDATE opportunities SET title = 'B'")
    before = [(await client.next_event()).cursor for client in clients]
    async with await database.connect() as conn:
        await conn.execute(detach.encode())
        await conn.execute("SELECT feed.rotate_partition()")
        for title in ("C", "D"):
            await conn.execute("UPDATE opportunities SET title = %s", (title,))
        for client in clients:
            assert [(await client.next_event()).body["version"] for _ in range(2)] == [3, 4]
        found = await health(conn, "partitions")
        assert (found["status"], "detached" in found["found"]) == ("warning", True)
        await run_fix(conn, found["fix"])
        await conn.execute("UPDATE opportunities SET title = 'E'")
        for client in clients:
            assert (await client.next_event()).body["version"] == 5
    for transport, cursor in zip(("websocket", "sse", "api-events"), before, strict=True):
        again = await services.open(transport, cursor)
        assert [(await again.next_event()).body["version"] for _ in range(3)] == [3, 4, 5]
    history = await database.execute("SELECT version FROM feed.history('o1') ORDER BY seq")
    assert [row["version"] for row in history] == [1, 2, 3, 4, 5]


async def test_without_any_partition_writes_fail_until_the_fix(services: Services, database: Database) -> None:
    """A write that cannot be logged is refused."""
    client = await services.open("websocket")
    async with await database.connect() as conn, services.api_client() as ana:
        for partition in ("log_1", "log_default"):
            await conn.execute(f"ALTER TABLE feed.log DETACH PARTITION feed.{partition}".encode())
        body, match = {"title": "B"}, {"If-Match": '"v1"'}
        answer = await ana.patch("/api/opportunities/o1", json=body, headers=match)
        assert answer.status_code == 503, answer.text
        (row,) = await database.execute("SELECT title, version_number FROM opportunities")
        assert row == {"title": "First", "version_number": 1}
        await run_fix(conn, (await health(conn, "partitions"))["fix"])
        assert (await ana.patch("/api/opportunities/o1", json=body, headers=match)).status_code == 200
        assert (await client.next_event()).body["version"] == 2
