"""The live tail of the trigger log: every change once and in commit order, over any disconnection."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse
from psycopg import AsyncConnection, sql

from api.server import ApiServer
from api.state import app_state
from db.changelog import trigger_log
from feed.runtime import Runtime
from tests.api.harness import Api, problem
from tests.support.until import until

STREAM = "/api/trigger-log/stream"


@pytest.fixture
async def served(api: Api, runtime: Runtime) -> AsyncIterator[ApiServer]:
    server = ApiServer(api.app, host="127.0.0.1", port=0, drain_timeout=5)
    await server.start()
    yield server
    await server.stop()


class Follower:
    """Reads the stream; keeps what it received and its cursor, over any number of connections."""

    def __init__(self, api: Api, server: ApiServer, **params: str) -> None:
        token = api.tokens.issue("maria", "Maria", timedelta(minutes=5), ("dba",))
        self.headers = {"Authorization": f"Bearer {token}"}
        self.address = f"http://127.0.0.1:{server.port}{STREAM}"
        self.params = params
        self.cursor = ""
        self.seqs: list[int] = []
        self.events: list[str] = []
        self.data: list[Any] = []
        self.connections = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
        headers = self.headers | ({"Last-Event-ID": self.cursor} if self.cursor else {})
        async with (
            httpx.AsyncClient(timeout=30) as client,
            aconnect_sse(client, "GET", self.address, params=self.params, headers=headers) as source,
        ):
            source.response.raise_for_status()
            self.connections += 1
            yield source.aiter_sse()

    async def read(self, source: AsyncIterator[ServerSentEvent], until: str, times: int = 1) -> None:
        """Read until `times` events of the type `until` have arrived."""
        async for event in source:
            if event.retry is not None:
                continue
            data = json.loads(event.data)
            self.events.append(event.event)
            self.data.append(data)
            if event.event == "changes":
                self.seqs += [change["seq"] for change in data["changes"] if change["seq"] not in self.seqs]
            self.cursor = event.id or self.cursor
            times -= event.event == until
            if not times:
                return
        raise AssertionError(f"the stream ended after {self.events}")

    async def follow(self, last: int) -> None:
        """Read, reconnecting as often as needed, until the change `last` and a cursor that covers it have arrived."""
        while last not in self.seqs:
            try:
                async with self.connected() as source:
                    while last not in self.seqs:
                        await self.read(source, "changes")
            except (httpx.HTTPError, AssertionError):
                await asyncio.sleep(0.05)


async def committed(api: Api, after: int) -> list[int]:
    """The log approximately in commit order: by the last sequence number of each transaction."""
    rows = await api.database.execute(
        "SELECT seq FROM (SELECT seq, max(seq) OVER (PARTITION BY xid) AS ends FROM feed.log) AS l WHERE seq > %s "
        "ORDER BY ends, seq",
        [after],
    )
    return [row["seq"] for row in rows]


async def newest(api: Api) -> int:
    (row,) = await api.database.execute("SELECT max(seq) AS seq FROM feed.log")
    return int(row["seq"])


async def test_changes_arrive_in_commit_order(api: Api, served: ApiServer) -> None:
    maria = Follower(api, served)
    async with maria.connected() as source:
        await maria.read(source, "ready")
        async with await AsyncConnection.connect(api.database.url) as slow:
            await slow.execute("UPDATE opportunities SET value = 1 WHERE title = 'Contrato corporativo'")
            first = await api.card()
            await maria.read(source, "changes")
        await maria.read(source, "changes")
    quick, late = (data["changes"] for data in maria.data if "changes" in data)
    assert quick[0]["key"] == first["id"]
    assert late[0]["title"] == "Contrato corporativo"
    assert late[0]["seq"] < quick[0]["seq"]


async def test_only_matching_changes_are_sent_but_the_cursor_always_advances(api: Api, served: ApiServer) -> None:
    maria = Follower(api, served, board="parcerias", op="update")
    async with maria.connected() as source:
        await maria.read(source, "ready")
        began = maria.cursor
        await api.database.execute("UPDATE opportunities SET value = value + 1 WHERE board_id = 'vendas'")
        await api.database.execute("UPDATE opportunities SET value = value + 1 WHERE title = 'Integração com ERP'")
        await maria.read(source, "changes")
    assert [change["title"] for change in maria.data[-1]["changes"]] == ["Integração com ERP"]
    assert maria.cursor != began


async def test_no_text_breaks_the_lines_of_the_stream(api: Api, served: ApiServer) -> None:
    maria, title = Follower(api, served), "a\rb\nc\vd\fe\x1cf\x1dg\x1eh\x85i\u2028j\u2029k"
    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("GET", maria.address, headers=maria.headers) as response,
    ):
        card, event = None, ""
        async for line in response.aiter_lines():  # splits as str.splitlines does
            if line == "event: ready":
                card = await api.card(title=title)
            elif card is not None and line.startswith("event: "):
                event = line
            elif event == "event: changes" and line.startswith("data: "):
                data = line
                break
    assert json.loads(data.removeprefix("data: "))["changes"][0]["title"] == title


async def test_nothing_is_lost_or_repeated_over_disconnections_and_killed_backends(api: Api, served: ApiServer) -> None:
    rng = random.Random(7)
    begin = await newest(api)
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            async with await AsyncConnection.connect(api.database.url) as conn:
                for _ in range(rng.randint(1, 20)):
                    await conn.execute("UPDATE opportunities SET value = value + 1 WHERE board_id = 'vendas'")
                    if rng.random() < 0.1:
                        await conn.rollback()
            await asyncio.sleep(0.05)

    async def kill_backends() -> None:
        await api.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'boardcast-api' AND pid <> pg_backend_pid()"
        )

    maria = Follower(api, served)
    async with maria.connected() as source:
        await maria.read(source, "ready")
    others = [asyncio.create_task(write()), asyncio.create_task(write())]
    for _ in range(8):
        async with maria.connected() as source:
            await maria.read(source, "changes", times=rng.randint(1, 3))
            await kill_backends()
            await maria.read(source, "changes")
            if rng.random() < 0.5:
                await kill_backends()
    done.set()
    await asyncio.gather(*others)
    expected = await committed(api, begin)
    async with asyncio.timeout(30):
        await maria.follow(expected[-1])
    assert maria.connections > 8
    assert maria.seqs == expected


@asynccontextmanager
async def database_unavailable(api: Api) -> AsyncIterator[None]:
    """Refuse new connections to the database and terminate the existing ones."""
    name = sql.Identifier(api.database.name)
    elsewhere = api.database.url.rpartition("/")[0] + "/postgres"
    async with await AsyncConnection.connect(elsewhere, autocommit=True) as admin:
        await admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [api.database.name]
        )
        try:
            yield
        finally:
            await admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


async def test_the_stream_reports_an_unavailable_database_and_resumes(api: Api, served: ApiServer) -> None:
    maria = Follower(api, served)
    async with maria.connected() as source:
        await maria.read(source, "ready")
        async with database_unavailable(api):
            await maria.read(source, "trouble")
        await maria.read(source, "heartbeat")
        assert maria.data[-1] == {"trouble": False}
        await api.card()
        await maria.read(source, "changes")
    assert maria.connections == 1


async def test_an_invalid_cursor_gets_a_reset_and_the_stream_continues(api: Api, served: ApiServer) -> None:
    for since, reason in (("yesterday", "malformed"), ("0000000000.800.800..0.00000000", "foreign")):
        maria = Follower(api, served, since=since)
        async with maria.connected() as source:
            await maria.read(source, "reset")
            assert maria.data[-1] == {"reason": reason}
            await api.card()
            await maria.read(source, "changes")


async def test_a_manual_feed_reset_is_sent(api: Api, served: ApiServer) -> None:
    maria = Follower(api, served)
    async with maria.connected() as source:
        await maria.read(source, "ready")
        await api.database.execute("SELECT feed.reset_feed('test')")
        await maria.read(source, "reset")
        assert maria.data[-1] == {"reason": "foreign"}


async def test_too_many_changes_at_once_are_sent_as_a_count(
    api: Api, served: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.dba.log_tail._MAX_CHANGES", 100)
    maria = Follower(api, served)
    async with maria.connected() as source:
        await maria.read(source, "ready")
        await api.database.execute(
            "INSERT INTO opportunities (board_id, phase, title) SELECT 'vendas', 'won', 'n' FROM generate_series(1, 101)"
        )
        await maria.read(source, "many")
        assert maria.data[-1] == {"more_than": 100}
        card = await api.card()
        await maria.read(source, "changes")
    assert [change["key"] for change in maria.data[-1]["changes"]] == [card["id"]]


async def test_a_large_transaction_is_sent_in_parts_with_its_cursor_at_the_end(api: Api, served: ApiServer) -> None:
    begin = await newest(api)
    maria = Follower(api, served)
    async with maria.connected() as source:
        await maria.read(source, "ready")
        began = maria.cursor
        await api.database.execute(
            "INSERT INTO opportunities (board_id, phase, title) SELECT 'vendas', 'won', 'n' FROM generate_series(1, 450)"
        )
        await maria.read(source, "changes", times=2)
        assert maria.cursor == began
    async with maria.connected() as source:
        await maria.read(source, "changes", times=3)
        assert maria.cursor != began
    assert maria.seqs == await committed(api, begin)


async def test_streams_end_with_a_goodbye_when_the_service_stops(api: Api, served: ApiServer) -> None:
    maria = Follower(api, served)
    async with maria.connected() as source:
        await maria.read(source, "ready")
        stopping = asyncio.create_task(served.stop())
        await maria.read(source, "goodbye")
        assert maria.data[-1] == {"reason": "restart"}
    async with asyncio.timeout(3):
        await stopping


async def test_no_stream_outlives_its_token(api: Api, served: ApiServer) -> None:
    maria = Follower(api, served)
    token = api.tokens.issue("maria", "Maria", timedelta(seconds=3), ("dba",))
    maria.headers = {"Authorization": f"Bearer {token}"}
    async with maria.connected() as source:
        await maria.read(source, "goodbye")
    assert maria.data[-1] == {"reason": "expired"}


async def test_the_number_of_streams_is_limited_and_a_closed_one_makes_room(
    api: Api, served: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.dba.change_watcher._MAX_STREAMS", 1)
    first, second = Follower(api, served), Follower(api, served)
    async with first.connected() as source:
        await first.read(source, "ready")
        async with httpx.AsyncClient() as client:
            refused = await client.get(second.address, headers=second.headers)
        assert "close one" in problem(refused, "overloaded")["detail"]
    watcher = app_state(api.app).change_watcher
    await until(lambda: not watcher, timeout=10, what="the stream's end")
    async with second.connected() as source:
        await second.read(source, "ready")


async def test_of_many_streams_that_open_at_once_only_as_many_as_the_limit_do(
    api: Api, served: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.dba.change_watcher._MAX_STREAMS", 2)
    maria = Follower(api, served)

    async def status(client: httpx.AsyncClient) -> int:
        async with client.stream("GET", maria.address, headers=maria.headers) as answer:
            if answer.status_code == 200:
                await refused.wait()
            return answer.status_code

    refused = asyncio.Event()
    async with httpx.AsyncClient() as client:
        requests = [asyncio.create_task(status(client)) for _ in range(8)]
        await until(lambda: sum(request.done() for request in requests) == 6, timeout=10, what="six refusals")
        refused.set()
        assert sorted(await asyncio.gather(*requests)) == [200] * 2 + [503] * 6


async def test_a_head_request_opens_no_stream(api: Api, served: ApiServer) -> None:
    maria = Follower(api, served)
    async with httpx.AsyncClient() as client:
        answer = await client.head(maria.address, headers=maria.headers)
        assert answer.status_code == 200
        problem(await client.get(f"{maria.address}?colour=red", headers=maria.headers), "invalid-input")
    assert not app_state(api.app).change_watcher


async def _prune(api: Api) -> None:
    await api.database.execute("SELECT feed.rotate_partition()")
    await api.database.execute("UPDATE opportunities SET value = value + 1 WHERE board_id = 'vendas'")
    pruning = "SELECT FROM feed.prune(clock_timestamp() + interval '1 day') WHERE partition IS NOT NULL"
    await until(lambda: api.database.execute(pruning))


async def test_nothing_is_pruned_between_proof_and_read(api: Api) -> None:
    await api.card()
    await api.database.execute("SELECT feed.rotate_partition()")
    await api.card()
    pruning = "SELECT partition FROM feed.prune(clock_timestamp() + interval '1 day')"
    async with app_state(api.app).dba_reads.connection() as conn:
        await trigger_log.block_pruning(conn)
        (kept,) = await api.database.execute(pruning)
    (dropped,) = await api.database.execute(pruning)
    assert (kept["partition"], dropped["partition"] is None) == (None, False)


async def test_a_change_pruned_before_it_is_sent_is_a_reset(
    api: Api, served: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    maria = Follower(api, served)
    unseen, block_pruning, found = trigger_log.unseen, trigger_log.block_pruning, asyncio.Event()

    async def noting(*args: Any) -> trigger_log.Unseen:
        answer = await unseen(*args)
        if answer.rows:
            found.set()
        return answer

    async def pruning_first(conn: Any) -> None:
        if found.is_set():
            monkeypatch.undo()
            await _prune(api)
        await block_pruning(conn)

    async with maria.connected() as source:
        await maria.read(source, "ready")
        monkeypatch.setattr(trigger_log, "unseen", noting)
        monkeypatch.setattr(trigger_log, "block_pruning", pruning_first)
        await api.card()
        await maria.read(source, "reset")
        assert maria.data[-1]["reason"] == "pruned"
        last = await api.card()
        await maria.read(source, "changes")
        assert [change["key"] for change in maria.data[-1]["changes"]] == [last["id"]]
