"""The board cache: as current as the feed, correct without it, and few queries."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from api.app import create_app
from api.cache.snapshots import _OVERHEAD, SnapshotCache
from api.metrics import ApiMetrics
from api.state import app_state
from db.changelog import snapshots
from db.changelog.positions import read_position
from db.changelog.snapshots import BoardSnapshot
from db.connection import Connection
from feed.runtime import Runtime
from feed.wire.cursor import Cursor
from tests.api.harness import Api, problem
from tests.support.until import until

BOARD = "/api/boards/vendas"


@pytest.fixture
async def ana(api: Api, runtime: Runtime) -> httpx.AsyncClient:
    return await api.user("ana")


class Reads:
    """Counts the reads from the database, and can delay their results."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boards: list[list[str]] = []
        self.release = asyncio.Event()
        self.release.set()
        self._real = snapshots.read_boards
        monkeypatch.setattr("db.changelog.snapshots.read_boards", self._read)

    async def _read(self, conn: AsyncConnection, ids: Sequence[str]) -> dict[str, BoardSnapshot]:
        found = await self._real(conn, ids)
        self.boards.append(list(ids))
        await self.release.wait()
        return found


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


def titles(board: dict[str, Any]) -> set[str]:
    return {card["title"] for card in board["opportunities"]}


async def test_a_board_is_read_once_for_all_users(api: Api, ana: httpx.AsyncClient, reads: Reads) -> None:
    diego = await api.user("diego")
    first = (await ana.get(BOARD)).json()
    second = (await diego.get(BOARD)).json()
    assert (first["role"], second["role"]) == ("admin", "viewer")
    assert first["opportunities"] == second["opportunities"]
    assert (await ana.get("/api/start")).json()["snapshot"] == first
    assert reads.boards == [["vendas"]]
    text = (await ana.get("/metrics")).text
    assert 'boardcast_board_snapshots_total{source="database"} 1.0' in text
    assert 'boardcast_board_snapshots_total{source="memory"} 2.0' in text


async def test_a_write_is_visible_at_once_on_the_same_instance(api: Api, ana: httpx.AsyncClient) -> None:
    for n in range(20):
        card = await api.card(title=f"made {n}")
        assert f"made {n}" in titles((await ana.get(BOARD)).json())
        path, match = f"/api/opportunities/{card['id']}", {"If-Match": "*"}
        await ana.patch(path, json={"title": f"changed {n}"}, headers=match)
        assert f"changed {n}" in titles((await ana.get(BOARD)).json())
        await ana.patch(path, json={"board_id": "parcerias"}, headers=match)
        assert f"changed {n}" not in titles((await ana.get(BOARD)).json())
        assert f"changed {n}" in titles((await ana.get("/api/boards/parcerias")).json())
        await ana.delete(path, headers=match)
        assert f"changed {n}" not in titles((await ana.get("/api/boards/parcerias")).json())
        await ana.post(f"{path}/versions/1/restore")
        assert f"made {n}" in titles((await ana.get(BOARD)).json())


async def test_a_write_of_psql_is_visible_after_the_next_pass(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    card = await api.card()
    for n in range(20):
        await ana.get(BOARD)
        await api.database.execute("UPDATE opportunities SET title = %s WHERE id = %s", [f"psql {n}", card["id"]])
        await runtime.tailer.wait_for_pass()
        assert f"psql {n}" in titles((await ana.get(BOARD)).json())
    await ana.get(BOARD)
    assert len(reads.boards) == 21


async def test_only_changes_that_the_board_shows_invalidate_it(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    await api.card()
    await api.database.execute("CREATE TABLE tasks (id int PRIMARY KEY, board_id text)")
    await api.database.execute("SELECT feed.attach('tasks', board => 'board_id')")
    for statement, invalidates in (
        ("UPDATE feed.boards SET name = 'Renamed' WHERE id = 'vendas'", True),
        ("UPDATE feed.boards SET name = 'Other' WHERE id = 'parcerias'", False),
        ("UPDATE feed.board_members SET role = 'admin' WHERE user_id = 'bruno' AND board_id = 'vendas'", True),
        ("DELETE FROM feed.board_members WHERE user_id = 'bruno' AND board_id = 'parcerias'", False),
        ("INSERT INTO tasks VALUES (1, 'vendas')", False),
        ("UPDATE opportunities SET value = coalesce(value, 0) + 1", True),
        ("DELETE FROM opportunities WHERE board_id = 'parcerias'", False),
        ("INSERT INTO opportunities (board_id) SELECT 'vendas' FROM generate_series(1, 5001)", True),
        ("TRUNCATE opportunities", True),
    ):
        await ana.get(BOARD)
        before = len(reads.boards)
        await api.database.execute(statement)
        await runtime.tailer.wait_for_pass()
        shown = (await ana.get(BOARD)).json()
        assert (len(reads.boards) > before) == invalidates, statement
        rows = await api.database.execute("SELECT count(*) FROM opportunities WHERE board_id = 'vendas'")
        assert len(shown["opportunities"]) == rows[0]["count"]
    assert shown["board"]["name"] == "Renamed"


async def test_roles_are_always_read_from_the_database(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.get(BOARD)
    # The cache of this process sees none of these changes.
    monkeypatch.setattr(SnapshotCache, "on_events", lambda *_: None)
    await api.database.execute(
        "UPDATE feed.board_members SET role = 'viewer' WHERE user_id = 'ana' AND board_id = 'vendas'"
    )
    shown = (await ana.get(BOARD)).json()
    assert shown["role"] == "viewer"
    assert {member["userId"]: member["role"] for member in shown["members"]}["ana"] == "viewer"
    await api.database.execute("DELETE FROM feed.board_members WHERE user_id = 'ana' AND board_id = 'vendas'")
    problem(await ana.get(BOARD), "unknown-board")
    assert (await ana.get("/api/start?board=vendas")).json()["snapshot"]["board"]["id"] == "parcerias"
    await api.database.execute("INSERT INTO feed.board_members VALUES ('vendas', 'ana', 'admin')")
    assert (await ana.get(BOARD)).json()["role"] == "admin"
    problem(await stranger.get(BOARD), "unknown-board")
    await api.database.execute("DELETE FROM feed.boards WHERE id = 'vendas'")
    problem(await ana.get(BOARD), "unknown-board")


async def test_a_board_that_changes_during_the_read_is_not_cached(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    for write in ("psql", "api"):
        card = await api.card()
        reads.release.clear()
        count = len(reads.boards)
        request = asyncio.create_task(ana.get(BOARD))
        await until(lambda count=count: len(reads.boards) > count)  # type: ignore[misc]
        if write == "psql":
            await api.database.execute("UPDATE opportunities SET title = 'psql' WHERE id = %s", [card["id"]])
            await runtime.tailer.wait_for_pass()
        else:
            await ana.patch(f"/api/opportunities/{card['id']}", json={"title": write}, headers={"If-Match": "*"})
        reads.release.set()
        early = (await request).json()
        assert write not in titles(early)
        assert write in titles((await ana.get(BOARD)).json())
        since = (await ana.get("/api/sync/opportunities", params={"since": early["cursor"]})).json()
        assert [one["title"] for one in since["opportunities"] if one["id"] == card["id"]] == [write]


async def test_nothing_is_cached_while_the_log_is_not_read(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.get(BOARD)
    card = await api.card()
    await ana.get(BOARD)

    async def never(*_: object) -> None:
        raise psycopg.OperationalError("not now")

    with monkeypatch.context() as patched:
        patched.setattr("feed.tailing.tailer.Tailer._connect", never)
        await api.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'boardcast-tailer' "
            "AND datname = current_database()"
        )
        await until(lambda: not runtime.tailer.up, timeout=15)
        before = len(reads.boards)
        for n in range(3):
            await api.database.execute(
                "UPDATE opportunities SET title = %s WHERE id = %s", [f"not read {n}", card["id"]]
            )
            assert f"not read {n}" in titles((await ana.get(BOARD)).json())
        assert len(reads.boards) == before + 3
    await until(lambda: runtime.tailer.is_current, timeout=15)
    await runtime.tailer.wait_for_pass()
    await ana.get(BOARD)
    before = len(reads.boards)
    await ana.get(BOARD)
    assert len(reads.boards) == before


async def test_a_cache_whose_feed_hangs_is_not_used(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await api.card()
    await ana.get(BOARD)
    monkeypatch.setattr(SnapshotCache, "on_events", lambda *_: None)
    monkeypatch.setattr("feed.tailing.tailer._MISSED_READS", -1)
    await api.database.execute("UPDATE opportunities SET title = 'not read' WHERE id = %s", [card["id"]])
    assert "not read" in titles((await ana.get(BOARD)).json())


async def test_a_feed_reset_invalidates_the_cache(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    old = (await ana.get(BOARD)).json()["cursor"]
    await api.database.execute("SELECT feed.reset_feed()")
    await until(lambda: str(runtime.tailer.head).split(".")[0] != old.split(".", maxsplit=1)[0], timeout=10)
    shown = await ana.get(BOARD)
    assert shown.json()["cursor"].split(".")[0] == str(runtime.tailer.head).split(".")[0]
    assert len(reads.boards) == 2


async def test_a_cached_snapshot_has_the_newest_cursor(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    first = (await ana.get(BOARD)).json()
    await api.database.execute("UPDATE opportunities SET title = title || '!' WHERE board_id = 'parcerias'")
    await runtime.tailer.wait_for_pass()
    second = (await ana.get(BOARD)).json()
    assert len(reads.boards) == 1
    assert second["opportunities"] == first["opportunities"]
    assert first["cursor"] != second["cursor"] == str(runtime.tailer.head)


async def test_the_cursor_of_a_feed_that_is_behind_is_not_used(
    api: Api, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = runtime.tailer.head
    await api.card()
    await runtime.tailer.wait_for_pass()
    snapshots = app_state(api.app).snapshots
    entry = await snapshots.get("vendas")
    assert entry is not None
    assert snapshots.cursor_for("vendas", entry) == runtime.tailer.head
    with monkeypatch.context() as patched:
        patched.setattr(runtime.publisher, "head", behind)
        assert snapshots.cursor_for("vendas", entry) == entry.cursor != behind


async def test_a_snapshot_and_the_changes_after_it_equal_the_table(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient
) -> None:
    """Overlapping transactions write while snapshots are read; each snapshot plus the changes after it is checked."""
    rng = random.Random(7)
    ids = [(await api.card(board_id=board, phase="won"))["id"] for board in ("vendas", "parcerias") for _ in range(5)]
    taken: list[dict[str, Any]] = []
    writing = True

    async def write(seed: int) -> None:
        rng = random.Random(seed)
        async with await psycopg.AsyncConnection.connect(api.database.url) as conn:
            for n in range(60):
                await conn.execute("SELECT pg_current_xact_id()")
                await asyncio.sleep(rng.random() * 0.01)
                await conn.execute(
                    "UPDATE opportunities SET title = %s, board_id = %s WHERE id = %s",
                    [f"{seed}-{n}", rng.choice(["vendas", "parcerias"]), rng.choice(ids)],
                )
                await asyncio.sleep(rng.random() * 0.01)
                await (conn.rollback() if rng.random() < 0.1 else conn.commit())

    async def read() -> None:
        while writing:
            taken.append((await ana.get(f"/api/boards/{rng.choice(['vendas', 'parcerias'])}")).json())
            await asyncio.sleep(0.002)

    readers = [asyncio.create_task(read()) for _ in range(2)]
    await asyncio.gather(*(write(seed) for seed in range(4)))
    writing = False
    await asyncio.gather(*readers)
    async with await psycopg.AsyncConnection.connect(api.database.url, autocommit=True) as conn:
        await conn.execute("SELECT feed.read_stage_changes(100000, true)")  # or the feed notes the closings later
    rows = (await ana.get("/api/opportunities?limit=500")).json()["opportunities"]
    distinct = {(shown["board"]["id"], shown["cursor"]): shown for shown in taken}
    assert len(distinct) > 30
    for (board, cursor), shown in distinct.items():
        since = (await ana.get("/api/sync/opportunities", params={"since": cursor, "limit": 5000})).json()
        merged = {card["id"]: card for card in shown["opportunities"]} | {
            card["id"]: card for card in since["opportunities"]
        }
        cache = {
            id_: card for id_, card in merged.items() if card["board_id"] == board and id_ not in since["deletedIds"]
        }
        assert cache == {row["id"]: row for row in rows if row["board_id"] == board}


async def test_if_none_match_saves_sending_the_board_again(api: Api, runtime: Runtime, ana: httpx.AsyncClient) -> None:
    first = await ana.get(BOARD)
    tag = first.headers["ETag"]
    for value in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        answer = await ana.get(BOARD, headers={"If-None-Match": value})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    await api.database.execute("UPDATE opportunities SET title = 'x' WHERE board_id = 'parcerias'")
    await runtime.tailer.wait_for_pass()
    answer = await ana.get(BOARD, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.headers["X-Feed-Cursor"]) == (304, str(runtime.tailer.head))
    assert (await (await api.user("diego")).get(BOARD, headers={"If-None-Match": tag})).status_code == 200
    # Another instance, or this one after a restart, makes the same entity tag.
    other = create_app(api.settings, engine=api.engine, tokens=api.tokens, runtime=None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(other),
        base_url="http://x",
        headers={"Authorization": ana.headers["Authorization"]},
    ) as client:
        assert (await client.get(BOARD, headers={"If-None-Match": tag})).status_code == 304
    await api.card()
    assert (await ana.get(BOARD, headers={"If-None-Match": tag})).status_code == 200


async def test_the_cache_is_bounded_by_age_and_size(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    now = [0.0]
    cache = SnapshotCache(api.engine, runtime.tailer, ApiMetrics(), clock=lambda: now[0])
    first = await cache.get("vendas")
    now[0] = 299
    assert await cache.get("vendas") is first
    now[0] = 301
    assert await cache.get("vendas") is not first
    assert first is not None
    small = SnapshotCache(api.engine, runtime.tailer, ApiMetrics(), clock=lambda: 0, max_bytes=first.size + _OVERHEAD)
    await small.get("vendas")
    await small.get("parcerias")
    before = len(reads.boards)
    await small.get("parcerias")
    assert len(reads.boards) == before
    await small.get("vendas")
    assert len(reads.boards) == before + 1
    tiny = SnapshotCache(api.engine, runtime.tailer, ApiMetrics(), clock=lambda: 0, max_bytes=10)
    assert await tiny.get("vendas") is not await tiny.get("vendas")
    assert await cache.get("nowhere") is None
    for each in (cache, small, tiny):
        await each.stop()


async def test_a_snapshot_is_not_older_than_the_cursor_of_the_request(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client has a stream from an instance that is ahead of this one."""
    first = (await ana.get(BOARD)).json()
    for cursor in (first["cursor"], str(runtime.tailer.head)):
        assert (await ana.get(BOARD, headers={"X-Feed-Cursor": cursor})).json() == first
    assert len(reads.boards) == 1
    monkeypatch.setattr(runtime.publisher, "publish", lambda _: None)  # this instance reads but does not advance
    await api.database.execute("UPDATE opportunities SET title = 'ahead' WHERE board_id = 'vendas'")
    async with await Connection.connect(api.database.url, autocommit=True) as conn:
        ahead = str(Cursor.at(runtime.tailer.head.feed, await read_position(conn)))
    assert (await ana.get(BOARD)).json() == first
    newer = (await ana.get(BOARD, headers={"X-Feed-Cursor": ahead})).json()
    assert {card["title"] for card in newer["opportunities"]} == {"ahead"}
    assert Cursor.parse(newer["cursor"]).covers(Cursor.parse(ahead))
    for other in ("no cursor", ahead.replace(runtime.tailer.head.feed, "other")):
        shown = (await ana.get(BOARD, headers={"X-Feed-Cursor": other})).json()
        assert shown["opportunities"] == newer["opportunities"]
