"""A running service maintains the log's partitions."""

from typing import Any

from tests.support.database import Database
from tests.support.until import until


async def test_a_running_service_creates_partitions_ahead_and_drops_old_ones(serve: Any, database: Database) -> None:
    await database.execute("UPDATE feed.log SET at = at - interval '91 days'")
    await database.execute("SELECT feed.rotate_partition()")
    await database.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o1'")
    client = await (await serve()).open("websocket")

    async def maintained() -> bool:
        (row,) = await database.execute(
            "SELECT to_regclass('feed.log_1') IS NULL AND to_regclass('feed.log_3') IS NOT NULL AS kept"
        )
        return bool(row["kept"])

    await until(maintained)
    await database.execute("UPDATE opportunities SET title = 'C' WHERE id = 'o1'")
    assert (await client.next_event()).body["changes"]["title"] == "C"
