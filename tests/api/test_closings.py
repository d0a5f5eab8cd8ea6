"""When and why cards were won or lost, over the API or in SQL."""

import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.api.harness import Api, problem

ANY = {"If-Match": "*"}


async def read_log(api: Api, notes: str = "") -> None:
    """What the services do every second."""
    assert (await api.database.execute("SELECT feed.read_stage_changes(1000) AS more"))[0]["more"] is False


async def entered(api: Api, card: str) -> datetime:
    """When the card entered its stage, according to the log."""
    rows = await api.database.execute(
        "SELECT at FROM feed.log WHERE relation = 'opportunities' AND key = %s"
        " AND old ->> 'phase' IS DISTINCT FROM new ->> 'phase' ORDER BY seq DESC",
        [card],
    )
    moment: datetime = rows[0]["at"]
    return moment


def closed(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["closed_at"])


async def test_a_lost_card_has_the_moment_and_the_reason_until_it_is_reopened(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    lost = await ana.patch(path, json={"phase": "lost", "close_reason": " Price "}, headers={"If-Match": '"v1"'})
    assert lost.status_code == 200, lost.text
    assert lost.json()["close_reason"] == "Price"
    assert closed(lost.json()) == await entered(api, card["id"])
    assert lost.headers["ETag"] == '"v2"'
    read = await ana.get(path)
    assert read.json() == lost.json()
    other = await ana.patch(path, json={"close_reason": "Timing"}, headers={"If-Match": read.headers["ETag"]})
    assert (other.json()["close_reason"], other.json()["version_number"]) == ("Timing", 2)
    assert other.headers["X-Event-Xid"]
    assert other.json()["closed_at"] == lost.json()["closed_at"]
    assert (await ana.get(path, headers={"If-None-Match": read.headers["ETag"]})).json() == other.json()
    shown = (await ana.get("/api/boards/vendas")).json()["opportunities"]
    assert next(row for row in shown if row["id"] == card["id"]) == other.json()
    won = await ana.patch(path, json={"phase": "won"}, headers=ANY)
    assert won.json()["close_reason"] is None
    assert closed(won.json()) > closed(lost.json())
    again = await ana.patch(path, json={"phase": "proposal", "close_reason": "dropped"}, headers=ANY)
    assert (again.json()["closed_at"], again.json()["close_reason"]) == (None, None)
    history = await api.database.execute(
        "SELECT new ->> 'close_reason' AS reason, board, actor FROM feed.log"
        " WHERE relation = 'feed.opportunity_details' AND key = %s ORDER BY seq",
        [card["id"]],
    )
    assert [row["reason"] for row in history] == [None, "Price", "Timing", None, None]
    assert {(row["board"], row["actor"]) for row in history} == {("vendas", "ana")}


async def test_a_card_created_in_a_closing_stage_is_closed(api: Api) -> None:
    card = await api.card(phase="lost", close_reason="No budget", next_activity="Call", next_activity_date="2027-01-31")
    assert (card["close_reason"], card["next_activity"]) == ("No budget", "Call")
    assert card["closed_at"] is not None


@pytest.mark.parametrize("statement", ["UPDATE opportunities SET phase = 'lost' WHERE id = %s", "restore"])
async def test_a_card_that_is_closed_otherwise_is_noted(api: Api, ana: httpx.AsyncClient, statement: str) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    if statement == "restore":
        await ana.patch(path, json={"phase": "lost"}, headers=ANY)
        await ana.patch(path, json={"phase": "proposal"}, headers=ANY)
        await ana.post(f"{path}/versions/2/restore", headers=ANY)
    else:
        await api.database.execute(statement, [card["id"]])
        await read_log(api)
    read = (await ana.get(path)).json()
    assert closed(read) == await entered(api, card["id"])
    assert read["close_reason"] is None
    await read_log(api)
    assert (await ana.get(path)).json() == read
    await api.database.execute("UPDATE opportunities SET phase = 'proposal' WHERE id = %s", [card["id"]])
    await read_log(api)
    assert (await ana.get(path)).json()["closed_at"] is None


async def test_cards_are_closed_when_their_stage_becomes_one_that_closes(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    await api.database.execute("UPDATE feed.board_members SET role = 'admin' WHERE user_id = 'ana'")
    board = (await ana.get("/api/boards/vendas")).json()["board"]
    phases = [phase | ({"kind": "won"} if phase["id"] == "proposal" else {}) for phase in board["phases"]]
    assert (await ana.patch("/api/boards/vendas", json={"phases": phases}, headers=ANY)).status_code == 200
    path = f"/api/opportunities/{card['id']}"
    assert closed((await ana.get(path)).json()) == await entered(api, card["id"])
    assert (await ana.patch("/api/boards/vendas", json={"phases": board["phases"]}, headers=ANY)).status_code == 200
    assert (await ana.get(path)).json()["closed_at"] is None


async def test_a_poll_returns_a_card_whose_details_changed(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    since = (await ana.get("/api/sync/opportunities")).json()["lastSync"]
    body = {"next_activity": "Call back", "next_activity_date": "2027-03-01"}
    written = await ana.patch(f"/api/opportunities/{card['id']}", json=body, headers={"If-Match": '"v1"'})
    found = (await ana.get("/api/sync/opportunities", params={"since": since})).json()
    assert (found["opportunities"], found["changedBoards"]) == ([written.json()], [])


async def test_the_reasons_of_a_board_and_its_limit_for_stale_cards(api: Api, ana: httpx.AsyncClient) -> None:
    await api.database.execute("UPDATE feed.board_members SET role = 'admin' WHERE user_id = 'ana'")
    changed = await ana.patch("/api/boards/vendas", json={"closeReasons": ["Price"], "staleDays": 7}, headers=ANY)
    assert (changed.json()["closeReasons"], changed.json()["staleDays"]) == (["Price"], 7)
    assert (await ana.get("/api/boards/vendas")).json()["board"] == changed.json()
    made = await ana.post("/api/boards", json={"name": "Copy", "copyOf": "vendas"})
    assert made.json()["closeReasons"] == ["Price"]


BAD: tuple[dict[str, Any], ...] = (
    *({"close_reason": value} for value in ("", "  ", "x" * 301, 7, "a\0b", "\ud800")),
    *({"next_activity": value} for value in ("x" * 301, 7, "a\0b", "\ud800")),
    *({"next_activity_date": value} for value in ("tomorrow", "2027-02-30", "", 20270101, "2027-01-01T00:00")),
    {"close_reason": ["x"]},
    {"close_reason": {}},
    {"next_activity": []},
    {"closed_at": "2027-01-01"},
    {"details_version": 3},
)


async def test_bad_details_are_refused(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    for body in BAD:
        content = json.dumps(body).encode()
        answer = await ana.patch(path, content=content, headers=ANY | {"Content-Type": "application/json"})
        problem(answer, "invalid-input" if answer.status_code == 422 else "invalid-json")
    assert (await ana.get(path)).json() == card
