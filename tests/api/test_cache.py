"""The boards that are kept in memory: fresh as the feed, right without it, and few questions to the database."""

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
    """Counts what is read from the database, and can hold it up after it has been read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boards: list[list[str]] = []
        self.go = asyncio.Event()
        self.go.set()
        self._real = snapshots.read_boards
        monkeypatch.setattr("db.changelog.snapshots.read_boards", self._whole)

    async def _whole(self, conn: AsyncConnection, ids: Sequence[str]) -> dict[str, BoardSnapshot]:
        found = await self._real(conn, ids)
        self.boards.append(list(ids))
        await self.go.wait()
        return found


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


def titles(board: dict[str, Any]) -> set[str]:
    return {card["title"] for card in board["opportunities"]}


async def test_a_board_is_read_once_for_all_who_see_it(api: Api, ana: httpx.AsyncClient, reads: Reads) -> None:
    diego = await api.user("diego")
    first = (await ana.get(BOARD)).json()
    second = (await diego.get(BOARD)).json()
    assert (first["role"], second["role"]) == ("editor", "viewer")
    assert first["opportunities"] == second["opportunities"]
    assert (await ana.get("/api/start")).json()["snapshot"] == first
    assert reads.boards == [["vendas"]]
    text = (await ana.get("/metrics")).text
    assert 'boardcast_board_snapshots_total{source="database"} 1.0' in text
    assert 'boardcast_board_snapshots_total{source="memory"} 2.0' in text


async def test_who_writes_here_finds_it_here(api: Api, ana: httpx.AsyncClient) -> None:
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


async def test_what_psql_writes_is_there_once_the_feed_has_told_it(
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


async def test_each_thing_that_a_board_shows_drops_it_and_nothing_else_does(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    await api.card()
    await api.database.execute("CREATE TABLE tasks (id int PRIMARY KEY, board_id text)")
    await api.database.execute("SELECT feed.attach('tasks', board => 'board_id')")
    for statement, drops in (
        ("UPDATE boards SET name = 'Renamed' WHERE id = 'vendas'", True),
        ("UPDATE boards SET name = 'Other' WHERE id = 'parcerias'", False),
        ("UPDATE board_members SET role = 'admin' WHERE user_id = 'bruno' AND board_id = 'vendas'", True),
        ("DELETE FROM board_members WHERE user_id = 'bruno' AND board_id = 'parcerias'", False),
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
        assert (len(reads.boards) > before) == drops, statement
        rows = await api.database.execute("SELECT count(*) FROM opportunities WHERE board_id = 'vendas'")
        assert len(shown["opportunities"]) == rows[0]["count"]
    assert shown["board"]["name"] == "Renamed"


async def test_rights_are_asked_of_the_database_and_told_of_the_same_moment(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.get(BOARD)
    # The feed of this process reads nothing of all this.
    monkeypatch.setattr(SnapshotCache, "on_events", lambda *_: None)
    await api.database.execute("UPDATE board_members SET role = 'viewer' WHERE user_id = 'ana' AND board_id = 'vendas'")
    shown = (await ana.get(BOARD)).json()
    assert shown["role"] == "viewer"
    assert {member["userId"]: member["role"] for member in shown["members"]}["ana"] == "viewer"
    await api.database.execute("DELETE FROM board_members WHERE user_id = 'ana' AND board_id = 'vendas'")
    problem(await ana.get(BOARD), "unknown-board")
    assert (await ana.get("/api/start?board=vendas")).json()["snapshot"]["board"]["id"] == "parcerias"
    await api.database.execute("INSERT INTO board_members VALUES ('vendas', 'ana', 'admin')")
    assert (await ana.get(BOARD)).json()["role"] == "admin"
    problem(await stranger.get(BOARD), "unknown-board")
    await api.database.execute("DELETE FROM boards WHERE id = 'vendas'")
    problem(await ana.get(BOARD), "unknown-board")


async def test_a_board_that_changes_while_it_is_read_is_not_kept(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    for write in ("psql", "api"):
        card = await api.card()
        reads.go.clear()
        count = len(reads.boards)
        asked = asyncio.create_task(ana.get(BOARD))
        await until(lambda count=count: len(reads.boards) > count)  # type: ignore[misc]
        if write == "psql":
            await api.database.execute("UPDATE opportunities SET title = 'psql' WHERE id = %s", [card["id"]])
            await runtime.tailer.wait_for_pass()
        else:
            await ana.patch(f"/api/opportunities/{card['id']}", json={"title": write}, headers={"If-Match": "*"})
        reads.go.set()
        early = (await asked).json()
        assert write not in titles(early)
        assert write in titles((await ana.get(BOARD)).json())
        since = (await ana.get("/api/sync/opportunities", params={"since": early["cursor"]})).json()
        assert [one["title"] for one in since["opportunities"] if one["id"] == card["id"]] == [write]


async def test_nothing_is_kept_while_the_log_is_not_read(
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
            await api.database.execute("UPDATE opportunities SET title = %s WHERE id = %s", [f"deaf {n}", card["id"]])
            assert f"deaf {n}" in titles((await ana.get(BOARD)).json())
        assert len(reads.boards) == before + 3
    await until(lambda: runtime.tailer.is_current, timeout=15)
    await runtime.tailer.wait_for_pass()
    await ana.get(BOARD)
    before = len(reads.boards)
    await ana.get(BOARD)
    assert len(reads.boards) == before


async def test_a_feed_that_hangs_is_not_believed_for_long(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await api.card()
    await ana.get(BOARD)
    monkeypatch.setattr(SnapshotCache, "on_events", lambda *_: None)
    monkeypatch.setattr("feed.tailing.tailer._MISSED_READS", -1)
    await api.database.execute("UPDATE opportunities SET title = 'unheard' WHERE id = %s", [card["id"]])
    assert "unheard" in titles((await ana.get(BOARD)).json())


async def test_another_log_than_it_was_is_another_board(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    old = (await ana.get(BOARD)).json()["cursor"]
    await api.database.execute("SELECT feed.reset_feed()")
    await until(lambda: str(runtime.tailer.head).split(".")[0] != old.split(".", maxsplit=1)[0], timeout=10)
    shown = await ana.get(BOARD)
    assert shown.json()["cursor"].split(".")[0] == str(runtime.tailer.head).split(".")[0]
    assert len(reads.boards) == 2


async def test_an_old_snapshot_is_given_with_a_new_cursor(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    first = (await ana.get(BOARD)).json()
    await api.database.execute("UPDATE opportunities SET title = title || '!' WHERE board_id = 'parcerias'")
    await runtime.tailer.wait_for_pass()
    second = (await ana.get(BOARD)).json()
    assert len(reads.boards) == 1
    assert second["opportunities"] == first["opportunities"]
    assert first["cursor"] != second["cursor"] == str(runtime.tailer.head)


async def test_a_feed_that_is_behind_gives_no_cursor(
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


async def test_whoever_follows_from_a_snapshot_has_what_the_table_has(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient
) -> None:
    """Writers with transactions that cross each other, and readers all the time; each snapshot and what came after is checked."""
    chance = random.Random(7)
    ids = [(await api.card(board_id=board, phase="won"))["id"] for board in ("vendas", "parcerias") for _ in range(5)]
    taken: list[dict[str, Any]] = []
    writing = True

    async def write(seed: int) -> None:
        own = random.Random(seed)
        async with await psycopg.AsyncConnection.connect(api.database.url) as conn:
            for n in range(60):
                await conn.execute("SELECT pg_current_xact_id()")
                await asyncio.sleep(own.random() * 0.01)
                await conn.execute(
                    "UPDATE opportunities SET title = %s, board_id = %s WHERE id = %s",
                    [f"{seed}-{n}", own.choice(["vendas", "parcerias"]), own.choice(ids)],
                )
                await asyncio.sleep(own.random() * 0.01)
                await (conn.rollback() if own.random() < 0.1 else conn.commit())

    async def look() -> None:
        while writing:
            taken.append((await ana.get(f"/api/boards/{chance.choice(['vendas', 'parcerias'])}")).json())
            await asyncio.sleep(0.002)

    lookers = [asyncio.create_task(look()) for _ in range(2)]
    await asyncio.gather(*(write(seed) for seed in range(4)))
    writing = False
    await asyncio.gather(*lookers)
    rows = (await ana.get("/api/opportunities?limit=500")).json()["opportunities"]
    distinct = {(shown["board"]["id"], shown["cursor"]): shown for shown in taken}
    assert len(distinct) > 30
    for (board, cursor), shown in distinct.items():
        since = (await ana.get("/api/sync/opportunities", params={"since": cursor, "limit": 5000})).json()
        mine = {card["id"]: card for card in shown["opportunities"]} | {
            card["id"]: card for card in since["opportunities"]
        }
        kept = {id_: card for id_, card in mine.items() if card["board_id"] == board and id_ not in since["deletedIds"]}
        assert kept == {row["id"]: row for row in rows if row["board_id"] == board}


async def test_who_has_it_is_not_sent_it_again(api: Api, runtime: Runtime, ana: httpx.AsyncClient) -> None:
    first = await ana.get(BOARD)
    tag = first.headers["ETag"]
    for given in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        answer = await ana.get(BOARD, headers={"If-None-Match": given})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    await api.database.execute("UPDATE opportunities SET title = 'x' WHERE board_id = 'parcerias'")
    await runtime.tailer.wait_for_pass()
    answer = await ana.get(BOARD, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.headers["X-Feed-Cursor"]) == (304, str(runtime.tailer.head))
    assert (await (await api.user("diego")).get(BOARD, headers={"If-None-Match": tag})).status_code == 200
    # Another instance, or this one after a restart, knows it too.
    other = create_app(api.settings, engine=api.engine, tokens=api.tokens, runtime=None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(other),
        base_url="http://x",
        headers={"Authorization": ana.headers["Authorization"]},
    ) as client:
        assert (await client.get(BOARD, headers={"If-None-Match": tag})).status_code == 304
    await api.card()
    assert (await ana.get(BOARD, headers={"If-None-Match": tag})).status_code == 200


async def test_nothing_is_kept_for_longer_than_five_minutes_or_in_more_than_its_bytes(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads
) -> None:
    now = [0.0]
    kept = SnapshotCache(api.engine, runtime.tailer, ApiMetrics(), clock=lambda: now[0])
    first = await kept.get("vendas")
    now[0] = 299
    assert await kept.get("vendas") is first
    now[0] = 301
    assert await kept.get("vendas") is not first
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
    assert await kept.get("nowhere") is None
    for each in (kept, small, tiny):
        await each.stop()


async def test_a_snapshot_is_not_older_than_the_stream_of_who_asks(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream came from an instance that is ahead of this one."""
    first = (await ana.get(BOARD)).json()
    for cursor in (first["cursor"], str(runtime.tailer.head)):
        assert (await ana.get(BOARD, headers={"X-Feed-Cursor": cursor})).json() == first
    assert len(reads.boards) == 1
    monkeypatch.setattr(runtime.publisher, "publish", lambda _: None)  # this instance reads, and does not get on
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
