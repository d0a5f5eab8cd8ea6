"""A dead proxy between us and PostgreSQL: TCP is acknowledged, and nothing ever comes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from db.sqlfiles import sql
from feed.system.database import connect
from tests.support.database import Database
from tests.support.load import read_to, version, versions
from tests.support.proxy import Proxy
from tests.support.services import Services, people, serving
from tests.support.until import until

READ = sql("queries/changes_since").split("\n")[-2][:40].encode()
"""What a read of the log says, and nothing else does."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The listener's waits, shorter."""
    monkeypatch.setattr("feed.tailing.listener._PROBE_AFTER", 0.5)
    monkeypatch.setattr("feed.tailing.listener._PROBE_TIMEOUT", 0.5)


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


async def _readyz(port: int) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.get(f"http://127.0.0.1:{port}/readyz")


@pytest.mark.usefixtures("impatient")
async def test_a_listener_that_hears_nothing_is_replaced_and_the_sweep_covers_for_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(database)
    async with Proxy.before(database.url) as proxy, serving(database, read_interval=0.2) as services:
        monkeypatch.setattr(
            "feed.tailing.listener.connect", lambda url, application: connect(proxy.through(url or ""), application)
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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("quiet", [0.05, 0.5])
async def test_all_connections_hang_and_the_feed_says_so_and_comes_back(
    database: Database, monkeypatch: pytest.MonkeyPatch, quiet: float
) -> None:
    monkeypatch.setattr("feed.tailing.listener._PROBE_AFTER", quiet)
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
            hub.publisher.replay_buffer.clear()
            proxy.hang()
            clients = [await services.open("websocket", first.messages[0].cursor, greeted=False) for _ in range(8)]
            await until(lambda: not hub.ready, timeout=20)
            await proxy.resume()
            for client in clients:
                assert (await client.next_event(timeout=30)).body["version"] == 2


@asynccontextmanager
async def _pool_through(proxy: Proxy, database: Database, **settings: object) -> AsyncIterator[Services]:
    """Only what is asked through the pools passes the proxy: the log is read past it."""
    await people(database)
    through = Database(proxy.through(database.url), database.name)
    async with serving(through, listen_database_url=database.url, **settings) as services:
        yield services


async def _write(services: Services, database: Database) -> str:
    """Have two changes in the log that the replay buffer does not hold any more; the cursor between them."""
    first = await services.open("websocket")
    await database.execute("UPDATE opportunities SET notes = 'x'")
    cursor = (await first.next_event()).cursor
    assert cursor is not None
    await database.execute("UPDATE opportunities SET notes = 'y'")
    await first.next_event()
    hub = await services.hub("websocket")
    hub.publisher.replay_buffer.clear()
    hub.publisher.replay_buffer.record(hub.tailer.head)
    return cursor


@pytest.mark.parametrize("said", [None, b"BEGIN", b"SET TRANSACTION", b"feed.identity", READ, b"COMMIT"])
async def test_one_dead_connection_of_the_pool_costs_a_client_seconds(database: Database, said: bytes | None) -> None:
    async with Proxy.before(database.url) as proxy, _pool_through(proxy, database) as services:
        cursor = await _write(services, database)
        if said is None:
            proxy.hang_links()
        else:
            proxy.hang_at(said)
        async with _within(10):
            client = await services.open("websocket", cursor, greeted=False)
            if said is not None:
                await until(lambda: proxy.hanging)
                proxy.hang_at(None)
            await client.next("auth_success", timeout=10)
            assert (await client.next_event(timeout=10)).body["version"] == 3
        proxy.cut()


async def test_catch_ups_that_hang_block_nobody_for_long(database: Database) -> None:
    async with Proxy.before(database.url) as proxy, _pool_through(proxy, database) as services:
        await database.execute(
            "INSERT INTO boards (id, name, phases) SELECT 'b' || n, 'B', '[]' FROM generate_series(3, 4) AS n"
        )
        await database.execute(
            "INSERT INTO board_members SELECT 'b' || n, 'bruno', 'viewer' FROM generate_series(3, 4) AS n"
        )
        cursor = await _write(services, database)
        boards = [["b1"], ["b1", "b2"], ["b1", "b3"], ["b1", "b4"]]
        proxy.hang_at(b"BEGIN")
        for wanted in boards:
            await services.open("websocket", cursor, boards=wanted, user="bruno", greeted=False)
        await until(lambda: proxy.hanging == 4)
        proxy.hang_at(None)
        async with _within(10):
            late = await services.open("websocket", cursor, greeted=False)
            await late.next("auth_success", timeout=10)
            assert (await late.next_event(timeout=10)).body["version"] == 3
        for client in services.clients[1:5]:
            assert (await client.next_event(timeout=10)).body["version"] == 3
        fresh = await services.open("websocket")
        assert fresh.cursor is not None


async def test_while_everything_hangs_the_service_does_not_claim_to_be_up_to_date(database: Database) -> None:
    await people(database)
    async with Proxy.before(database.url) as proxy:
        through = Database(proxy.through(database.url), database.name)
        async with serving(through, heartbeat_interval=0.5) as services:
            clients = [await services.open(transport) for transport in ("websocket", "sse", "api-events")]
            feed, api = await services.feed(), await services.api()
            for port in (feed, api):
                await until(lambda port=port: _is_ready(port), timeout=10)  # type: ignore[misc]
            for client in clients:
                await client.next("heartbeat")
            proxy.hang()
            began = time.monotonic()
            await until(lambda: _is_ready(feed, ready=False), timeout=7)
            assert time.monotonic() - began < 6.5
            health = (await _readyz(feed)).json()
            assert health["log"] != "followed"
            assert health["log_age"] >= 5
            async with _within(4):
                answer = await _readyz(api)
            assert answer.status_code == 503
            assert "the log was last read" in answer.json()["checks"]["feed"]
            beats = [_beats(client) for client in clients]
            await asyncio.sleep(2)  # four periods
            assert [_beats(client) for client in clients] == beats
            assert not any(client.ended for client in clients), "PINGs go on, so nobody is taken for dead"
            new = await services.open("websocket")
            assert new.messages[0].body["resume"] == "live"
            await new.send({"type": "ping"})  # type: ignore[attr-defined]
            await new.next("pong")
            await proxy.resume()
            for port in (feed, api):
                await until(lambda port=port: _is_ready(port), timeout=20)  # type: ignore[misc]
            await database.execute("UPDATE opportunities SET notes = 'x'")
            for client, beaten in zip([*clients, new], [*beats, 0], strict=True):
                assert (await client.next_event()).body["version"] == 2
                await until(lambda client=client, beaten=beaten: _beats(client) > beaten)  # type: ignore[misc]


async def _is_ready(port: int, *, ready: bool = True) -> bool:
    return ((await _readyz(port)).status_code == 200) is ready


def _beats(client: object) -> int:
    return sum(message.type == "heartbeat" for message in client.messages)  # type: ignore[attr-defined]


async def test_a_request_on_a_dead_connection_ends_and_the_next_one_works(database: Database) -> None:
    async with (
        Proxy.before(database.url) as proxy,
        _pool_through(proxy, database) as services,
        services.asking() as ana,
    ):
        ana.timeout = httpx.Timeout(20)
        assert (await ana.get("/api/boards/b1")).status_code == 200
        proxy.hang_links()
        async with _within(10):
            assert (await ana.get("/api/boards/b1")).status_code == 200, "another connection was made"
        proxy.hang_at(b"UPDATE opportunities")
        async with _within(10):
            answer = await ana.patch("/api/opportunities/o1", json={"notes": "x"}, headers={"If-Match": '"v1"'})
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("database-unavailable")
        proxy.hang_at(None)
        answer = await ana.patch("/api/opportunities/o1", json={"notes": "x"}, headers={"If-Match": '"v1"'})
        assert answer.status_code == 200
        proxy.hang()
        async with _within(10):
            answer = await ana.get("/api/opportunities/o1")
        assert answer.status_code == 503
        await proxy.resume()
        assert (await ana.get("/api/opportunities/o1")).status_code == 200


async def test_it_stops_while_everything_hangs(database: Database) -> None:
    await people(database)
    async with Proxy.before(database.url) as proxy:
        through = Database(proxy.through(database.url), database.name)
        async with serving(through) as services:
            first = await services.open("websocket")
            await services.open("api-events")
            (await services.hub("websocket")).publisher.replay_buffer.clear()
            await database.execute("UPDATE opportunities SET notes = 'x'")
            await first.next_event()
            proxy.hang()
            await services.open("websocket", first.messages[0].cursor, greeted=False)
            feed, api = await services.hub("websocket"), await services.hub("api-events")
            async with _within(10):
                await asyncio.gather(feed.stop(), api.stop())
