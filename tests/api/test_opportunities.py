"""The life cycle of a card through the API."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.api.harness import Api, problem


async def last_change(api: Api, key: str) -> dict[str, Any]:
    rows = await api.database.execute(
        "SELECT xid::text, op, actor, origin, version, new::text, application"
        " FROM feed.log WHERE key = %s ORDER BY seq DESC LIMIT 1",
        [key],
    )
    return rows[0]


async def test_a_created_card_is_returned_as_logged(api: Api, ana: httpx.AsyncClient) -> None:
    body = {
        "board_id": "vendas",
        "phase": "proposal",
        "title": "  Padaria Avenida  ",
        "company": "Padaria Avenida Ltda",
        "value": 1234.5,
        "probability": 40,
        "expected_close_date": "2027-03-31",
        "notes": "ligar às 9h\nlevar amostra 🥖",
    }
    response = await ana.post("/api/opportunities", json=body, headers={"X-Mutation-Id": "m-1"})
    created = response.json()
    change = await last_change(api, created["id"])
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/opportunities/{created['id']}"
    assert response.headers["ETag"] == '"v1"'
    assert response.headers["X-Event-Xid"] == change["xid"]
    assert (change["actor"], change["origin"], change["application"]) == ("ana", "m-1", "boardcast-api")
    assert response.text == change["new"]
    assert created["title"] == "Padaria Avenida"
    assert created["value"] == 1234.5
    assert '"value": 1234.50' in response.text
    assert created["notes"] == body["notes"]
    assert created["currency"] == "BRL"
    assert created["last_modified_by"] == "ana"
    assert created["created_at"].endswith("+00:00")
    assert (await ana.get(response.headers["Location"])).text == response.text


async def test_new_cards_go_to_the_end_of_their_phase(api: Api, ana: httpx.AsyncClient) -> None:
    created = [(await api.card(title=str(n)))["id"] for n in range(30)]
    board = (await ana.get("/api/boards/vendas")).json()
    proposals = [card["id"] for card in board["opportunities"] if card["phase"] == "proposal"]
    assert proposals[-30:] == created


async def test_without_a_mutation_id_the_request_id_is_the_origin(api: Api, ana: httpx.AsyncClient) -> None:
    body = {"board_id": "vendas", "phase": "won", "title": "x"}
    response = await ana.post("/api/opportunities", json=body, headers={"X-Request-ID": "req-7"})
    assert response.headers["X-Request-ID"] == "req-7"
    assert (await last_change(api, response.json()["id"]))["origin"] == "req-7"


async def test_a_patch_changes_the_given_fields_and_null_clears(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card(company="ACME", value=10, notes="n")
    response = await ana.patch(
        f"/api/opportunities/{card['id']}",
        content=json.dumps({"company": None, "value": 11}),
        headers={"If-Match": '"v1"', "X-Mutation-Id": "m-2", "Content-Type": "application/merge-patch+json"},
    )
    changed = response.json()
    change = await last_change(api, card["id"])
    assert response.status_code == 200
    assert response.headers["ETag"] == '"v2"'
    assert response.headers["X-Event-Xid"] == change["xid"]
    assert change["origin"] == "m-2"
    assert response.text == change["new"]
    different = {name for name in card if card[name] != changed[name]}
    assert different == {"company", "value", "version_number", "last_sync_at"}
    assert changed["company"] is None


@pytest.mark.parametrize("fields", [{}, {"title": "A deal"}, {"phase": "proposal", "value": None}])
async def test_a_patch_without_effect_makes_no_event(api: Api, fields: dict[str, Any]) -> None:
    card = await api.card()
    bruno = await api.user("bruno")
    response = await bruno.patch(f"/api/opportunities/{card['id']}", json=fields, headers={"If-Match": '"v1"'})
    assert response.status_code == 200
    assert response.json() == card
    assert response.headers["ETag"] == '"v1"'
    assert "X-Event-Xid" not in response.headers
    assert (await last_change(api, card["id"]))["op"] == "insert"


async def test_a_moved_card_goes_to_the_end_of_the_phase_or_to_its_position(api: Api, ana: httpx.AsyncClient) -> None:
    last = await api.card(phase="won")
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    moved = (await ana.patch(path, json={"phase": "won"}, headers={"If-Match": "*"})).json()
    assert moved["position"] > last["position"]
    put = (await ana.patch(path, json={"phase": "lost", "position": "Zz"}, headers={"If-Match": "*"})).json()
    assert put["position"] == "Zz"


async def test_a_stale_patch_gets_the_conflicting_fields(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card(value=10, company="old", probability=10)
    path = f"/api/opportunities/{card['id']}"
    bruno = await api.user("bruno")
    theirs = {"value": 20, "company": "same", "probability": 30}
    now = (await bruno.patch(path, json=theirs, headers={"If-Match": '"v1"'})).json()
    mine = {"value": 15, "title": "mine", "company": "same"}
    response = await ana.patch(path, json=mine, headers={"If-Match": '"v1"'})
    body = problem(response, "stale-version")
    assert response.headers["ETag"] == '"v2"'
    assert body["current"] == now
    assert body["base"] == card
    assert body["conflicts"] == ["value"]
    assert (await ana.get(path)).json() == now


@pytest.mark.parametrize("tag", ['"v99"', '"abc"', '""', 'W/"v1"', '"v99999999999999999999"', '"v2147483647"'])
async def test_a_tag_that_is_not_a_version_of_the_card_is_stale(api: Api, ana: httpx.AsyncClient, tag: str) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    body = problem(await ana.patch(path, json={"title": "x"}, headers={"If-Match": tag}), "stale-version")
    assert body["base"] is None
    assert body["conflicts"] == ["title"]
    problem(await ana.delete(path, headers={"If-Match": tag}), "stale-version")
    assert (await ana.get(path)).json() == card


async def test_one_of_many_concurrent_writes_to_a_version_succeeds(api: Api) -> None:
    card = await api.card()
    clients = [await api.user(name) for name in ("ana", "bruno", "carla")]
    answers = await asyncio.gather(
        *(
            client.patch(f"/api/opportunities/{card['id']}", json={"title": f"by {n}"}, headers={"If-Match": '"v1"'})
            for n, client in enumerate(clients * 3)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 8
    rows = await api.database.execute("SELECT count(*) FROM feed.log WHERE key = %s", [card["id"]])
    assert rows[0]["count"] == 2


async def test_a_deleted_card_keeps_its_history(api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    changed = (await ana.patch(path, json={"title": "b"}, headers={"If-Match": '"v1"'})).json()
    response = await ana.delete(path, headers={"If-Match": '"v2"', "X-Mutation-Id": "m-3"})
    assert response.status_code == 204
    assert response.content == b""
    change = await last_change(api, card["id"])
    assert (change["op"], change["actor"], change["origin"]) == ("delete", "ana", "m-3")
    assert response.headers["X-Event-Xid"] == change["xid"]
    problem(await ana.get(path), "unknown-opportunity")
    problem(await ana.delete(path, headers={"If-Match": "*"}), "unknown-opportunity")
    history = (await ana.get(f"{path}/versions")).json()
    assert [version["version_number"] for version in history["versions"]] == [2, 1]
    assert [version["data"] for version in history["versions"]] == [changed, card]
    assert history["next"] is None
    problem(await stranger.get(f"{path}/versions"), "unknown-opportunity")


async def test_history_is_paged_and_a_version_can_be_read_alone(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    for n in range(1, 5):
        assert (await ana.patch(path, json={"title": str(n)}, headers={"If-Match": f'"v{n}"'})).is_success
    first = await ana.get(f"{path}/versions", params={"limit": 3})
    assert [version["version_number"] for version in first.json()["versions"]] == [5, 4, 3]
    second = await ana.get(first.links["next"]["url"])
    assert [version["version_number"] for version in second.json()["versions"]] == [2, 1]
    assert "next" not in second.links
    assert (await ana.get(f"{path}/versions/3")).json()["data"]["title"] == "2"
    problem(await ana.get(f"{path}/versions/6"), "unknown-version")
    problem(await ana.get(f"{path}/versions/{2**40}"), "unknown-version")


async def test_history_hides_versions_from_boards_the_user_cannot_see(api: Api, ana: httpx.AsyncClient) -> None:
    await api.database.execute("DELETE FROM feed.board_members WHERE user_id = 'bruno' AND board_id = 'vendas'")
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    moved = {"board_id": "parcerias", "title": "now shared"}
    assert (await ana.patch(path, json=moved, headers={"If-Match": '"v1"'})).is_success
    bruno = await api.user("bruno")
    history = (await bruno.get(f"{path}/versions")).json()["versions"]
    assert [version["data"]["title"] for version in history] == ["now shared"]
    problem(await bruno.get(f"{path}/versions/1"), "unknown-version")


async def test_an_unchanged_card_is_not_sent_again(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    for tag in ('"v1"', '"v7", W/"v1"', "*"):
        response = await ana.get(path, headers={"If-None-Match": tag})
        assert response.status_code == 304
        assert response.headers["ETag"] == '"v1"'
        assert response.content == b""
    assert (await ana.get(path, headers={"If-None-Match": '"v2"'})).status_code == 200


async def test_pages_have_every_visible_card_once(
    api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    seen: list[str] = []
    url = "/api/opportunities?limit=7"
    while url:
        response = await ana.get(url)
        seen += [card["id"] for card in response.json()["opportunities"]]
        url = response.links.get("next", {}).get("url", "")
    rows = await api.database.execute("SELECT id FROM opportunities ORDER BY id")
    assert seen == [row["id"] for row in rows]
    one = (await ana.get("/api/opportunities?board=parcerias")).json()
    assert {card["board_id"] for card in one["opportunities"]} == {"parcerias"}
    assert (await stranger.get("/api/opportunities")).json() == {"opportunities": [], "next": None}
    problem(await stranger.get("/api/opportunities?board=parcerias"), "unknown-board")


async def test_a_board_is_a_consistent_ordered_snapshot_with_its_cursor(api: Api, ana: httpx.AsyncClient) -> None:
    boards = (await ana.get("/api/boards")).json()
    assert boards == {
        "boards": [
            {"id": "vendas", "name": "Vendas", "role": "admin", "archived": False},
            {"id": "parcerias", "name": "Parcerias", "role": "admin", "archived": False},
        ]
    }
    for key in ("a1", "Zz", "a0V", "aA", "aa"):
        await api.card(phase="won", position=key)
    shown = (await ana.get("/api/boards/vendas")).json()
    assert shown["board"]["phases"][0]["id"] == "prospecting"
    assert {member["userId"]: member["role"] for member in shown["members"]}["diego"] == "viewer"
    keys = [card["position"] for card in shown["opportunities"]]
    assert keys == sorted(keys)
    since = (await ana.get("/api/sync/opportunities", params={"since": shown["cursor"]})).json()
    nothing = {
        "opportunities": [],
        "deletedIds": [],
        "lastSync": shown["cursor"],
        "hasMore": False,
        "changedBoards": [],
    }
    assert since == nothing | {"realtime": "websocket"}
