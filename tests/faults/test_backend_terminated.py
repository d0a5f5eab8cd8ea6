"""The server ends one of our connections, again and again, while somebody writes."""

import pytest

from tests.support.database import Database
from tests.support.load import read_to, version, versions, writing
from tests.support.services import Services
from tests.support.until import until

TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name = ANY (%s)"
)


@pytest.mark.parametrize(
    "names",
    [
        ["boardcast-listener"],
        ["boardcast-tailer"],
        ["boardcast-feed"],
        ["boardcast-listener", "boardcast-tailer", "boardcast-feed"],
    ],
    ids=["listener", "tailer", "pool", "all"],
)
async def test_nothing_is_lost_twice_or_out_of_order(services: Services, database: Database, names: list[str]) -> None:
    client = await services.open("websocket")
    hub = await services.hub("websocket")

    async def end() -> int:
        """End those that are there: who is connecting again is waited for."""
        return int((await database.execute(TERMINATE, [names]))[0]["n"])

    async with writing(database) as load:
        for _ in range(8):
            await until(end, timeout=15)
            before = load.written
            await until(lambda at=before: load.written > at + 10)  # type: ignore[misc]
    seen = await read_to(client, await version(database))
    assert versions(seen) == list(range(2, await version(database) + 1))
    await until(lambda: hub.ready, timeout=15, what="ready again")


async def test_a_client_that_comes_while_the_pool_is_dead_is_caught_up(services: Services, database: Database) -> None:
    client = await services.open("sse")
    start = client.cursor
    await database.execute("UPDATE opportunities SET notes = '1'")
    await client.next_event()
    await services.stop()
    await services.hub("sse")
    await database.execute(TERMINATE, [["boardcast-feed"]])
    again = await services.open("sse", start)
    assert (await again.next_event()).body["version"] == 2
