"""A dead proxy between us and PostgreSQL: TCP is acknowledged, and nothing ever comes."""

import pytest

from feed.database import connect
from tests.support.database import Database
from tests.support.load import read_to, version, versions
from tests.support.proxy import Proxy
from tests.support.services import people, serving
from tests.support.until import until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, shorter."""
    monkeypatch.setattr("feed.listener._QUIET", 0.5)
    monkeypatch.setattr("feed.listener._ANSWER", 0.5)
    monkeypatch.setattr("feed.tailer.PATIENCE", 1.0)
    monkeypatch.setattr("feed.sweeper.PATIENCE", 1.0)
    monkeypatch.setattr("feed.readings._PATIENCE", 1.0)


async def test_a_listener_that_hears_nothing_is_replaced_and_the_sweep_covers_for_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(database)
    async with Proxy.before(database.url) as proxy, serving(database, sweep=0.2) as services:
        monkeypatch.setattr(
            "feed.listener.connect", lambda url, application: connect(proxy.through(url or ""), application)
        )
        client = await services.open("websocket")
        hub = await services.hub("websocket")
        proxy.hang()
        await database.execute("UPDATE opportunities SET notes = 'x'")
        assert (await client.next_event(timeout=3)).body["version"] == 2
        await until(lambda: not hub.listener.up, timeout=10)
        assert not hub.ready
        await proxy.resume()
        await until(lambda: hub.ready, timeout=15)


@pytest.mark.parametrize("quiet", [0.05, 0.5])
async def test_all_connections_hang_and_the_feed_says_so_and_comes_back(
    database: Database, monkeypatch: pytest.MonkeyPatch, quiet: float
) -> None:
    monkeypatch.setattr("feed.listener._QUIET", quiet)
    await people(database)
    async with Proxy.before(database.url) as proxy:
        through = Database(proxy.through(database.url), database.name)
        async with serving(through) as services:
            client = await services.open("websocket")
            hub = await services.hub("websocket")
            proxy.hang()
            await database.execute("UPDATE opportunities SET notes = 'x'")
            await until(lambda: not hub.listener.up, timeout=20, what="the listener to be down")
            await until(lambda: not hub.tailer.up, timeout=20, what="the tailer to be down")
            await proxy.resume()
            await until(lambda: hub.ready, timeout=20)
            last = await version(database)
            assert versions(await read_to(client, last)) == [2]


async def test_a_new_client_is_caught_up_after_its_reader_hung(database: Database) -> None:
    await people(database)
    async with Proxy.before(database.url) as proxy:
        through = Database(proxy.through(database.url), database.name)
        async with serving(through) as services:
            first = await services.open("websocket")
            hub = await services.hub("websocket")
            await database.execute("UPDATE opportunities SET notes = 'x'")
            await first.next_event()
            hub.catchups._ring.clear()
            proxy.hang()
            clients = [await services.open("websocket", first.messages[0].cursor, greeted=False) for _ in range(8)]
            await until(lambda: not hub.ready, timeout=20)
            await proxy.resume()
            for client in clients:
                assert (await client.next_event(timeout=30)).body["version"] == 2
