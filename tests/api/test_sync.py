"""Polling: a client that applies every page has the contents of the table."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection, sql

from tests.api.harness import Api, problem
from tests.support.until import until

SYNC = "/api/sync/opportunities"


class Poller:
    def __init__(self, client: httpx.AsyncClient, limit: int) -> None:
        self.client = client
        self.limit = limit
        self.cards: dict[str, Any] = {}
        self.cursor = ""

    async def poll(self) -> bool:
        """Poll once; return whether there are more pages."""
        params = {"since": self.cursor, "limit": str(self.limit)}
        answer = (await self.client.get(SYNC, params=params)).raise_for_status().json()
        for card in answer["opportunities"]:
            self.cards[card["id"]] = card
        for id_ in answer["deletedIds"]:
            self.cards.pop(id_, None)
        self.cursor = answer["lastSync"]
        return bool(answer["hasMore"])


async def visible(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = (await client.get("/api/opportunities?limit=500")).raise_for_status().json()
    return {card["id"]: card for card in answer["opportunities"]}


class Writer:
    """A transaction of random length on its own cards, so that no writer waits for another."""

    def __init__(self, conn: AsyncConnection[Any], name: str, rng: random.Random) -> None:
        self.conn = conn
        self.name = name
        self.rng = rng
        self.made = 0

    async def step(self) -> None:
        match self.rng.choice(["insert", "update", "update", "move", "delete", "commit", "commit", "rollback"]):
            case "insert":
                self.made += 1
                await self.conn.execute(
                    "INSERT INTO opportunities (id, board_id, phase, title) VALUES (%s, %s, 'won', 'x')",
                    [f"{self.name}-{self.made}", self._board()],
                )
            case "update":
                await self.conn.execute("UPDATE opportunities SET title = title || '+' WHERE id = %s", [self._card()])
            case "move":
                await self.conn.execute(
                    "UPDATE opportunities SET board_id = %s WHERE id = %s", [self._board(), self._card()]
                )
            case "delete":
                await self.conn.execute("DELETE FROM opportunities WHERE id = %s", [self._card()])
            case "commit":
                await self.conn.commit()
            case "rollback":
                await self.conn.rollback()

    def _card(self) -> str:
        return f"{self.name}-{self.rng.randint(1, max(self.made, 1))}"

    def _board(self) -> str:
        return self.rng.choice(["vendas", "parcerias", "secret"])


@pytest.mark.parametrize("seed", range(4))
async def test_pages_converge_under_transactions_of_any_length(api: Api, ana: httpx.AsyncClient, seed: int) -> None:
    rng = random.Random(seed)
    await api.database.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('secret', 'Secret', '[]')")
    pollers = [Poller(ana, 1), Poller(ana, 3), Poller(ana, 500)]
    for poller in pollers:
        assert not await poller.poll()
    connections = [await AsyncConnection.connect(api.database.url) for _ in range(4)]
    writers = [Writer(conn, f"w{n}", rng) for n, conn in enumerate(connections)]
    for _ in range(150):
        await rng.choice(writers).step()
        if rng.random() < 0.3:
            await rng.choice(pollers).poll()
        if rng.random() < 0.03:
            await api.database.execute(
                "INSERT INTO feed.board_members VALUES ('secret', 'ana', 'viewer') ON CONFLICT DO NOTHING"
            )
        if rng.random() < 0.03:
            await api.database.execute("DELETE FROM feed.board_members WHERE board_id = 'secret' AND user_id = 'ana'")
    for conn in connections:
        await conn.commit()
        await conn.close()
    expected = await visible(ana)
    for poller in pollers:
        for _ in range(500):
            if not await poller.poll():
                break
        assert poller.cards == expected


async def test_a_transaction_is_never_split_between_pages(api: Api, ana: httpx.AsyncClient) -> None:
    poller = Poller(ana, 5)
    await poller.poll()
    await api.database.execute(
        "INSERT INTO opportunities (board_id, phase, title) SELECT 'vendas', 'won', 'n' FROM generate_series(1, 40)"
    )
    await api.card()
    answer = (await ana.get(SYNC, params={"since": poller.cursor, "limit": "5"})).json()
    assert len(answer["opportunities"]) == 40
    assert answer["hasMore"] is True


async def test_a_card_that_left_the_users_boards_is_reported_as_deleted(api: Api) -> None:
    bruno = await api.user("bruno")
    ana = await api.user("ana")
    await api.database.execute("DELETE FROM feed.board_members WHERE board_id = 'parcerias' AND user_id = 'bruno'")
    card = await api.card()
    poller = Poller(bruno, 500)
    await poller.poll()
    await ana.patch(f"/api/opportunities/{card['id']}", json={"board_id": "parcerias"}, headers={"If-Match": "*"})
    answer = (await bruno.get(SYNC, params={"since": poller.cursor})).json()
    assert answer["opportunities"] == []
    assert answer["deletedIds"] == [card["id"]]


async def test_boards_that_have_changed_are_named_to_their_members_only(
    api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    diego = await api.user("diego")
    clients = (ana, diego, stranger)

    async def changed(since: str) -> list[list[str]]:
        return [(await client.get(SYNC, params={"since": since})).json()["changedBoards"] for client in clients]

    async def now() -> str:
        return str((await ana.get(SYNC)).json()["lastSync"])

    match = {"If-Match": "*"}
    start = await now()
    assert await changed(start) == [[], [], []]
    await ana.patch("/api/boards/vendas", json={"name": "x"}, headers=match)
    assert await changed(start) == [["vendas"], ["vendas"], []]
    start = await now()
    await ana.delete("/api/boards/parcerias/members/diego", headers=match)
    assert await changed(start) == [["parcerias"], ["parcerias"], []]
    start = await now()
    await ana.patch("/api/boards/parcerias", json={"name": "x"}, headers=match)
    assert await changed(start) == [["parcerias"], [], []]


async def test_changes_of_invisible_boards_are_not_returned(
    api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    poller = Poller(stranger, 500)
    await poller.poll()
    assert poller.cards == {}
    card = await api.card()
    await ana.delete(f"/api/opportunities/{card['id']}", headers={"If-Match": "*"})
    answer = (await stranger.get(SYNC, params={"since": poller.cursor})).json()
    assert (answer["opportunities"], answer["deletedIds"]) == ([], [])
    assert answer["lastSync"] != poller.cursor


async def test_a_timestamp_works_like_a_cursor(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    now = datetime.now(UTC)
    for since in (now.isoformat(), now.isoformat().replace("+", " "), now.strftime("%Y-%m-%dT%H:%M:%SZ"), "2020-01-01"):
        answer = (await ana.get(f"{SYNC}?since={since}")).json()
        assert card in answer["opportunities"]
        assert answer["hasMore"] is False
    ahead = (now + timedelta(hours=1)).isoformat()
    answer = (await ana.get(SYNC, params={"since": ahead})).json()
    assert answer["opportunities"] == []
    following = (await ana.get(SYNC, params={"since": answer["lastSync"]})).json()
    assert following["lastSync"] == answer["lastSync"]


async def test_pages_since_a_timestamp_have_every_later_change(api: Api, ana: httpx.AsyncClient) -> None:
    old = await visible(ana)
    await api.database.execute("UPDATE feed.log SET at = at - interval '1 hour'")
    poller = Poller(ana, 2)
    poller.cursor = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    for n in range(10):
        await api.card(title=str(n))
    pages = 1
    while await poller.poll():
        pages += 1
    assert pages == 5
    assert poller.cards.keys() == (await visible(ana)).keys() - old.keys()


async def test_a_cursor_reset_has_its_reason(api: Api, ana: httpx.AsyncClient) -> None:
    await api.card()
    cursor = (await ana.get(SYNC)).json()["lastSync"]
    feed, xmin, xmax, xip, anchor, tag = cursor.split(".")
    ahead = str(int(xmax) + 10**6)
    wrong = {
        "yesterday": "malformed",
        f"{cursor}.": "malformed",
        "a\0b": "malformed",
        "9" * 5000: "malformed",
        "0001-01-01T00:00:00Z": "malformed",
        ".".join(["0" * len(feed), xmin, xmax, xip, anchor, tag]): "foreign",
        f"{feed}.{ahead}.{ahead}.{xip}.{anchor}.{tag}": "future",
        ".".join([feed, xmin, xmax, xip, anchor, "0" * 8]): "diverged",
    }
    for since, reason in wrong.items():
        answer = await ana.get(SYNC, params={"since": since})
        assert problem(answer, "cursor-reset")["reason"] == reason, since


async def test_a_truncate_of_the_cards_resets_cursors(api: Api, ana: httpx.AsyncClient) -> None:
    cursor = (await ana.get(SYNC)).json()["lastSync"]
    await api.database.execute("TRUNCATE opportunities")
    assert problem(await ana.get(SYNC, params={"since": cursor}), "cursor-reset")["reason"] == "truncate"
    assert (await ana.get(SYNC)).json()["opportunities"] == []


async def test_a_truncate_of_the_members_resets_cursors(api: Api, ana: httpx.AsyncClient) -> None:
    cursor = (await ana.get(SYNC)).json()["lastSync"]
    await api.database.execute("TRUNCATE feed.board_members")
    assert problem(await ana.get(SYNC, params={"since": cursor}), "cursor-reset")["reason"] == "truncate"
    assert (await ana.get(SYNC)).json()["opportunities"] == []


async def test_pruned_changes_are_not_skipped(api: Api, ana: httpx.AsyncClient) -> None:
    cursor = (await ana.get(SYNC)).json()["lastSync"]
    since = datetime.now(UTC).isoformat()
    await api.card()
    await api.database.execute("SELECT feed.prune(now() + interval '1 hour')")
    assert problem(await ana.get(SYNC, params={"since": cursor}), "cursor-reset")["reason"] == "pruned"
    assert problem(await ana.get(SYNC, params={"since": since}), "cursor-reset")["reason"] == "pruned"


async def test_polling_does_not_wait_for_row_locks(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    async with await psycopg.AsyncConnection.connect(api.database.url) as conn:
        await conn.execute("SELECT FROM opportunities WHERE id = %s FOR UPDATE", [card["id"]])
        assert card in (await ana.get(SYNC)).json()["opportunities"]


@pytest.mark.parametrize("table", ["opportunities", "feed.board_members"])
async def test_a_poll_during_a_truncate_is_a_reset(api: Api, table: LiteralString) -> None:
    """Older snapshots see a TRUNCATE too: a page that started before it must wait and then answer with a reset."""
    ana = await api.user("ana")
    start = (await ana.get(SYNC)).json()["lastSync"]
    await api.card()
    async with await api.database.connect(autocommit=False) as writer:
        await writer.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(*table.split("."))))
        polling = asyncio.create_task(ana.get(SYNC, params={"since": start}))

        async def waits() -> bool:
            found = await api.database.execute(
                "SELECT count(*) AS n FROM pg_locks WHERE NOT granted AND relation = to_regclass(%s)", [table]
            )
            return bool(found[0]["n"])

        await until(waits)
        await writer.commit()
    assert problem(await polling, "cursor-reset")["reason"] == "truncate"
