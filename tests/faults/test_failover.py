"""The primary is killed under load and its standby promoted: every client converges to the new primary."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from db.embedded.server import EmbeddedPostgres
from feed.notify.mode import Mode
from tests.conftest import SERVER_SETTINGS
from tests.property.mirror import BOARDS, Mirror
from tests.support.database import Database
from tests.support.services import Services, add_people, serving
from tests.support.standby import fetch_value, promote, standby_of, wait_for_replay
from tests.support.streams import WebSocketClient
from tests.support.until import until

CLIENTS = 50
TRANSPORTS = ("websocket", "sse", "api-events")
WRITERS = 10
RATE = 500
CARDS = 40
SETTINGS = {name: value for name, value in SERVER_SETTINGS.items() if name not in {"fsync", "full_page_writes"}}
FAILED = (psycopg.OperationalError, OSError)


class Watcher(Mirror):
    """A mirror that reloads its boards on a reset, as clients do."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.reasons: list[str] = []

    @property
    def cut_off(self) -> bool:
        return self._client is None or self._client.ended is not None

    async def _reset(self, reason: str) -> None:
        self.reasons.append(reason)
        self._seen.clear()  # the new primary may use the same sequence numbers again
        await self._snapshot(BOARDS)

    async def _snapshot(self, boards: tuple[str, ...]) -> str:
        while True:
            with suppress(KeyError, httpx.HTTPError):  # 503, while there is no primary
                return await super()._snapshot(boards)
            await asyncio.sleep(0.1)


class Load:
    """RATE numbered writes a second; `acknowledged` has the newest committed number of each card."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.acknowledged: dict[str, int] = {}
        self.written = 0

    async def run(self, writer: int) -> None:
        number = 0
        while True:
            with suppress(*FAILED):
                async with await self._database.connect(connect_timeout=2) as conn:
                    while True:
                        started = time.monotonic()
                        card = f"c{writer * CARDS // WRITERS + number % (CARDS // WRITERS)}"
                        number += 1
                        await conn.execute(
                            "UPDATE opportunities SET probability = %s, notes = %s WHERE id = %s",
                            [number % 100, str(number), card],
                        )
                        self.acknowledged[card] = number
                        self.written += 1
                        await asyncio.sleep(max(0.0, WRITERS / RATE - (time.monotonic() - started)))
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _writing(database: Database) -> AsyncIterator[Load]:
    load = Load(database)
    tasks = [asyncio.create_task(load.run(n), name=f"writer {n}") for n in range(WRITERS)]
    try:
        yield load
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def standby(own_server: EmbeddedPostgres, binaries: Path | None) -> Iterator[EmbeddedPostgres]:
    with standby_of(own_server, SETTINGS, binaries=binaries) as server:
        yield server


@pytest.fixture
async def cluster(own_server: EmbeddedPostgres, standby: EmbeddedPostgres) -> Database:
    """The primary, whichever of the two servers that is."""
    first = own_server.url()
    url = first.replace(f":{own_server.port}/", f":{own_server.port},127.0.0.1:{standby.port}/")
    database = Database(f"{url}?target_session_attrs=read-write", "boardcast")
    await add_people(database)
    await database.execute(
        "INSERT INTO opportunities (id, board_id, title) SELECT 'c' || n, 'b' || 1 + n %% 2, 'a card' "
        "FROM generate_series(0, %s) AS n",
        [CARDS - 1],
    )
    await asyncio.to_thread(wait_for_replay, own_server, standby)
    return database


@asynccontextmanager
async def _watched(database: Database, **settings: Any) -> AsyncIterator[tuple[Services, list[Watcher]]]:
    """CLIENTS mirrors on three transports, and a task that applies what they receive."""
    async with serving(database, max_user_connections=CLIENTS, **settings) as services:
        watchers = [Watcher(services) for _ in range(CLIENTS)]
        for number, watcher in enumerate(watchers):
            await watcher.start(TRANSPORTS[number % len(TRANSPORTS)])

        async def apply() -> None:
            while True:
                for watcher in watchers:
                    await watcher.apply_received()
                await asyncio.sleep(0.05)

        applying = asyncio.create_task(apply(), name="apply")
        try:
            yield services, watchers
        finally:
            applying.cancel()
            await asyncio.gather(applying, return_exceptions=True)


async def _wait_until_ready(services: Services, *, ready: bool) -> None:
    runtimes = [await services.runtime(transport) for transport in ("websocket", "api-events")]
    await until(
        lambda: all(runtime.ready is ready for runtime in runtimes), timeout=30, what=f"all to be ready: {ready}"
    )


async def _wait_until_converged(watchers: list[Watcher], database: Database) -> None:
    """Wait until every mirror matches the table. Nothing is written any more, but events may still be under way."""

    async def converged(watcher: Watcher) -> bool:
        assert not watcher.cut_off
        shown = {key: (card["version_number"], card["notes"]) for key, card in watcher.cards.items()}
        rows = await database.execute("SELECT board_id, id, version_number, notes FROM opportunities")
        return shown == {(row["board_id"], row["id"]): (row["version_number"], row["notes"]) for row in rows}

    for number, watcher in enumerate(watchers):
        await until(partial(converged, watcher), timeout=60, what=f"client {number}")


async def test_clients_drop_changes_that_an_asynchronous_standby_missed(
    own_server: EmbeddedPostgres, standby: EmbeddedPostgres, cluster: Database
) -> None:
    async with _watched(cluster) as (services, watchers):
        async with _writing(cluster) as load:
            await until(lambda: load.written > RATE, timeout=60)
            # From here on the standby receives nothing: changes delivered now will be lost.
            with psycopg.connect(standby.url(), autocommit=True) as admin:
                admin.execute("ALTER SYSTEM SET primary_conninfo = ''")
                admin.execute("SELECT pg_reload_conf()")
            await until(lambda: fetch_value(standby, "SELECT count(*) FROM pg_stat_wal_receiver") == 0, timeout=20)
            await cluster.execute("UPDATE opportunities SET title = 'will be lost' WHERE id = 'o1'")
            before = load.written
            await until(lambda: load.written > before + RATE, timeout=60)
            await until(lambda: all(w.cards["b1", "o1"]["title"] == "will be lost" for w in watchers), timeout=60)
            cursors = [watcher.cursor for watcher in watchers[: len(TRANSPORTS)]]
            own_server.kill()
            await _wait_until_ready(services, ready=False)
            await _check_writes_are_refused(services)
            await asyncio.to_thread(promote, standby)
            await _wait_until_ready(services, ready=True)
            after = load.written
            await until(lambda: load.written > after + RATE, timeout=60)
        await _wait_until_converged(watchers, cluster)
        assert {reason for watcher in watchers for reason in watcher.reasons} == {"foreign"}
        assert all(len(watcher.reasons) == 1 for watcher in watchers)
        assert all(watcher.cards["b1", "o1"]["title"] == "First" for watcher in watchers)
        for transport, cursor in zip(TRANSPORTS, cursors, strict=True):
            again = await services.open(transport, cursor, user="ana")
            assert (await again.next("reset")).body["reason"] == "foreign"
        await _check_services_work(services, cluster)


async def test_failover_to_a_synchronous_standby_loses_nothing_and_still_resets(
    own_server: EmbeddedPostgres, standby: EmbeddedPostgres, cluster: Database
) -> None:
    with psycopg.connect(own_server.url(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        admin.execute("SELECT pg_reload_conf()")
    await until(lambda: fetch_value(own_server, "SELECT sync_state FROM pg_stat_replication") == "sync", timeout=20)
    async with _watched(cluster) as (services, watchers):
        async with _writing(cluster) as load:
            await until(lambda: load.written > RATE, timeout=60)
            own_server.kill()
            await _wait_until_ready(services, ready=False)
            acknowledged = dict(load.acknowledged)
            await asyncio.to_thread(promote, standby)
            rows = await cluster.execute("SELECT id, notes FROM opportunities WHERE notes IS NOT NULL")
            held = {row["id"]: int(row["notes"]) for row in rows}
            assert all(held[card] >= number for card, number in acknowledged.items())
            await _wait_until_ready(services, ready=True)
        await _wait_until_converged(watchers, cluster)
        assert all(watcher.reasons == ["foreign"] for watcher in watchers)


async def _check_writes_are_refused(services: Services) -> None:
    """Without a primary, a write is refused quickly with Retry-After."""
    async with services.api_client() as api, asyncio.timeout(15):
        answer = await api.post("/api/opportunities", json={"board_id": "b1", "phase": "new", "title": "not now"})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


async def _check_services_work(services: Services, database: Database) -> None:
    """A promotion empties unlogged tables: the services have filled them again, and a write reaches a client."""
    async with services.api_client() as api:
        ticket = (await api.post("/api/events/ticket")).json()["ticket"]
        client = await services.request_stream("sse", f"?ticket={ticket}")
        await client.next("auth_success")
        answer = await api.get("/api/opportunities/o1")
        changed = await api.patch(
            "/api/opportunities/o1", json={"title": "by the API"}, headers={"If-Match": answer.headers["ETag"]}
        )
        assert changed.status_code == 200
        assert (await client.next_event()).body["changes"]["title"] == "by the API"

    async def listed() -> bool:
        rows = await database.execute("SELECT service FROM feed.instances WHERE ready")
        return sorted(row["service"] for row in rows) == ["api", "feed"]

    await until(listed, timeout=10)
    editor = await services.open("websocket")
    runtimes = [await services.runtime(transport) for transport in ("websocket", "api-events")]
    await until(
        lambda: any(runtime.pacer.mode is not Mode.INACTIVE for runtime in runtimes), timeout=10, what="a pacer"
    )
    assert isinstance(editor, WebSocketClient)
    await editor.send({"type": "user_editing", "opportunityId": "o1"})
    await client.next("user_editing")
