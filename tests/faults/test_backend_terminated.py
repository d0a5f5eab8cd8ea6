"""The server terminates our backends repeatedly while writes continue."""

import pytest

from tests.support.database import Database
from tests.support.load import card_version, read_until_version, versions, writing
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
async def test_terminated_backends_lose_repeat_and_reorder_nothing(
    services: Services, database: Database, names: list[str]
) -> None:
    client = await services.open("websocket")
    runtime = await services.runtime("websocket")

    async def terminate() -> int:
        """Terminate the backends that exist; zero while they reconnect."""
        return int((await database.execute(TERMINATE, [names]))[0]["n"])

    async with writing(database) as load:
        for _ in range(8):
            await until(terminate, timeout=15)
            before = load.written
            await until(lambda at=before: load.written > at + 10)  # type: ignore[misc]
    seen = await read_until_version(client, await card_version(database))
    assert versions(seen) == list(range(2, await card_version(database) + 1))
    await until(lambda: runtime.ready, timeout=15, what="ready again")


async def test_a_client_recovers_after_the_pool_lost_its_backends(services: Services, database: Database) -> None:
    client = await services.open("sse")
    start = client.cursor
    await database.execute("UPDATE opportunities SET notes = '1'")
    await client.next_event()
    await services.stop()
    await services.runtime("sse")
    await database.execute(TERMINATE, [["boardcast-feed"]])
    again = await services.open("sse", start)
    assert (await again.next_event()).body["version"] == 2
