"""A half-open connection to PostgreSQL: TCP is acknowledged, but no answer ever comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from db.sqlfiles import sql
from feed.system.database import connect
from tests.support.database import Database
from tests.support.load import card_version, read_until_version, versions
from tests.support.proxy import Proxy
from tests.support.services import Services, add_people, serving
from tests.support.until import until

READ = sql("queries/changes_since").split("\n")[-2][:40].encode()
"""Text that only a read of the log contains."""


@pytest.fixture
def short_probe_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the listener's probe interval and timeout."""
    monkeypatch.setattr("feed.tailing.listener._PROBE_AFTER", 0.5)
    monkeypatch.setattr("feed.tailing.listener._PROBE_TIMEOUT", 0.5)


async def _readyz(port: int) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.get(f"http://127.0.0.1:{port}/readyz")


@pytest.mark.usefixtures("short_probe_timeouts")
async def test_a_hung_listener_is_replaced_while_the_safety_read_delivers(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_people(database)
    async with Proxy.for_url(database.url) as proxy, serving(database, read_interval=0.2) as services:
        monkeypatch.setattr(
            "feed.tailing.listener.connect", lambda url, application: connect(proxy.rewrite_url(url or ""), application)
        )
        client = await services.open("websocket")
        runtime = await services.runtime("websocket")
        proxy.hang()
        await database.execute("UPDATE opportunities SET notes = 'x'")
        assert (await client.next_event(timeout=3)).body["version"] == 2
        await until(lambda: not runtime.listener.up, timeout=10)
        assert not runtime.ready
        await proxy.resume()
        await until(lambda: runtime.ready, timeout=15)


@pytest.mark.usefixtures("short_probe_timeouts")
@pytest.mark.parametrize("quiet", [0.05, 0.5])
async def test_the_feed_is_not_ready_while_all_connections_hang_and_recovers(
    database: Database, monkeypatch: pytest.MonkeyPatch, quiet: float
) -> None:
    monkeypatch.setattr("feed.tailing.listener._PROBE_AFTER", quiet)
    await add_people(database)
    async with Proxy.for_url(database.url) as proxy:
        proxied = Database(proxy.rewrite_url(database.url), database.name)
        async with serving(proxied) as services:
            client = await services.open("websocket")
            runtime = await services.runtime("websocket")
            proxy.hang()
            await database.execute("UPDATE opportunities SET notes = 'x'")
            await until(lambda: not runtime.listener.up, timeout=20, what="the listener to be down")
            await until(lambda: not runtime.tailer.up, timeout=20, what="the tailer to be down")
            await proxy.resume()
            await until(lambda: runtime.ready, timeout=20)
            last = await card_version(database)
            assert versions(await read_until_version(client, last)) == [2]


async def test_a_new_client_recovers_after_its_read_hung(database: Database) -> None:
    await add_people(database)
    async with Proxy.for_url(database.url) as proxy:
        proxied = Database(proxy.rewrite_url(database.url), database.name)
        async with serving(proxied) as services:
            first = await services.open("websocket")
            runtime = await services.runtime("websocket")
            await database.execute("UPDATE opportunities SET notes = 'x'")
            await first.next_event()
            runtime.publisher.replay_buffer.clear()
            proxy.hang()
            clients = [
                await services.open("websocket", first.messages[0].cursor, wait_for_auth=False) for _ in range(8)
            ]
            await until(lambda: not runtime.ready, timeout=20)
            await proxy.resume()
            for client in clients:
                assert (await client.next_event(timeout=30)).body["version"] == 2


@asynccontextmanager
async def _proxied_pools(proxy: Proxy, database: Database, **settings: object) -> AsyncIterator[Services]:
    """Only the pools connect through the proxy; the log is read past it."""
    await add_people(database)
    proxied = Database(proxy.rewrite_url(database.url), database.name)
    async with serving(proxied, listen_database_url=database.url, **settings) as services:
        yield services


async def _write_unbuffered(services: Services, database: Database) -> str:
    """Write two changes, clear the replay buffer, and return the cursor between them."""
    first = await services.open("websocket")
    await database.execute("UPDATE opportunities SET notes = 'x'")
    cursor = (await first.next_event()).cursor
    assert cursor is not None
    await database.execute("UPDATE opportunities SET notes = 'y'")
    await first.next_event()
    runtime = await services.runtime("websocket")
    runtime.publisher.replay_buffer.clear()
    runtime.publisher.replay_buffer.record(runtime.tailer.head)
    return cursor


@pytest.mark.parametrize("said", [None, b"BEGIN", b"SET TRANSACTION", b"feed.identity", READ, b"COMMIT"])
async def test_one_hung_pool_connection_delays_recovery_by_seconds_only(database: Database, said: bytes | None) -> None:
    async with Proxy.for_url(database.url) as proxy, _proxied_pools(proxy, database) as services:
        cursor = await _write_unbuffered(services, database)
        if said is None:
            proxy.hang_connections()
        else:
            proxy.hang_at(said)
        async with asyncio.timeout(30):
            client = await services.open("websocket", cursor, wait_for_auth=False)
            if said is not None:
                await until(lambda: proxy.hanging)
                proxy.hang_at(None)
            await client.next("auth_success", timeout=10)
            assert (await client.next_event(timeout=10)).body["version"] == 3
        proxy.cut()


async def test_hung_recoveries_do_not_block_other_clients(database: Database) -> None:
    async with Proxy.for_url(database.url) as proxy, _proxied_pools(proxy, database) as services:
        await database.execute(
            "INSERT INTO feed.boards (id, name, phases) SELECT 'b' || n, 'B', '[]' FROM generate_series(3, 4) AS n"
        )
        await database.execute(
            "INSERT INTO feed.board_members SELECT 'b' || n, 'bruno', 'viewer' FROM generate_series(3, 4) AS n"
        )
        cursor = await _write_unbuffered(services, database)
        boards = [["b1"], ["b1", "b2"], ["b1", "b3"], ["b1", "b4"]]
        proxy.hang_at(b"BEGIN")
        for wanted in boards:
            await services.open("websocket", cursor, boards=wanted, user="bruno", wait_for_auth=False)
        await until(lambda: proxy.hanging == 4)
        proxy.hang_at(None)
        async with asyncio.timeout(30):
            late = await services.open("websocket", cursor, wait_for_auth=False)
            await late.next("auth_success", timeout=10)
            assert (await late.next_event(timeout=10)).body["version"] == 3
        for client in services.clients[1:5]:
            assert (await client.next_event(timeout=10)).body["version"] == 3
        fresh = await services.open("websocket")
        assert fresh.cursor is not None


async def test_a_service_without_a_database_is_not_ready_and_sends_no_heartbeats(database: Database) -> None:
    await add_people(database)
    async with Proxy.for_url(database.url) as proxy:
        proxied = Database(proxy.rewrite_url(database.url), database.name)
        async with serving(proxied, heartbeat_interval=0.5) as services:
            clients = [await services.open(transport) for transport in ("websocket", "sse", "api-events")]
            feed, api = await services.feed(), await services.api()
            for port in (feed, api):
                await until(lambda port=port: _is_ready(port), timeout=10)  # type: ignore[misc]
            for client in clients:
                await client.next("heartbeat")
            proxy.hang()
            await until(lambda: _is_ready(feed, ready=False), timeout=20)
            health = (await _readyz(feed)).json()
            assert health["log"] != "followed"
            assert health["log_age"] >= 5
            async with asyncio.timeout(20):
                answer = await _readyz(api)
            assert answer.status_code == 503
            assert "the log was last read" in answer.json()["checks"]["feed"]
            heartbeats = [_heartbeats(client) for client in clients]
            await asyncio.sleep(2)  # four heartbeat intervals
            assert [_heartbeats(client) for client in clients] == heartbeats
            assert not any(client.ended for client in clients), "pings continue, so no client is dropped"
            new = await services.open("websocket")
            assert new.messages[0].body["resume"] == "live"
            await new.send({"type": "ping"})  # type: ignore[attr-defined]
            await new.next("pong")
            await proxy.resume()
            for port in (feed, api):
                await until(lambda port=port: _is_ready(port), timeout=20)  # type: ignore[misc]
            await database.execute("UPDATE opportunities SET notes = 'x'")
            for client, before in zip([*clients, new], [*heartbeats, 0], strict=True):
                assert (await client.next_event()).body["version"] == 2
                await until(lambda client=client, before=before: _heartbeats(client) > before)  # type: ignore[misc]


async def _is_ready(port: int, *, ready: bool = True) -> bool:
    return ((await _readyz(port)).status_code == 200) is ready


def _heartbeats(client: object) -> int:
    return sum(message.type == "heartbeat" for message in client.messages)  # type: ignore[attr-defined]


async def test_a_request_on_a_hung_connection_fails_and_the_next_one_works(database: Database) -> None:
    async with (
        Proxy.for_url(database.url) as proxy,
        _proxied_pools(proxy, database) as services,
        services.api_client() as ana,
    ):
        ana.timeout = httpx.Timeout(20)
        assert (await ana.get("/api/boards/b1")).status_code == 200
        proxy.hang_connections()
        async with asyncio.timeout(30):
            assert (await ana.get("/api/boards/b1")).status_code == 200, "the pool opens another connection"
        proxy.hang_at(b"opportunities AS o\nSET")
        async with asyncio.timeout(30):
            answer = await ana.patch("/api/opportunities/o1", json={"notes": "x"}, headers={"If-Match": '"v1"'})
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("database-unavailable")
        proxy.hang_at(None)
        answer = await ana.patch("/api/opportunities/o1", json={"notes": "x"}, headers={"If-Match": '"v1"'})
        assert answer.status_code == 200
        proxy.hang()
        async with asyncio.timeout(30):
            answer = await ana.get("/api/opportunities/o1")
        assert answer.status_code == 503
        await proxy.resume()
        assert (await ana.get("/api/opportunities/o1")).status_code == 200


async def test_services_stop_while_all_connections_hang(database: Database) -> None:
    await add_people(database)
    async with Proxy.for_url(database.url) as proxy:
        proxied = Database(proxy.rewrite_url(database.url), database.name)
        async with serving(proxied) as services:
            first = await services.open("websocket")
            await services.open("api-events")
            (await services.runtime("websocket")).publisher.replay_buffer.clear()
            await database.execute("UPDATE opportunities SET notes = 'x'")
            await first.next_event()
            proxy.hang()
            await services.open("websocket", first.messages[0].cursor, wait_for_auth=False)
            feed, api = await services.runtime("websocket"), await services.runtime("api-events")
            async with asyncio.timeout(30):
                await asyncio.gather(feed.stop(), api.stop())
