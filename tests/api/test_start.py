"""The first request of a page, refreshing the session's token, and presence for clients that poll."""

from pathlib import Path

import httpx

from api.fingerprints import file_fingerprint
from api.state import app_state
from tests.api.harness import HOST, Api, problem

OWN_ORIGIN = {"Origin": f"http://{HOST}"}


async def test_one_request_has_all_that_a_page_needs(api: Api, ana: httpx.AsyncClient) -> None:
    started = (await ana.get("/api/start")).json()
    assert started["user"] == {"id": "ana", "name": "Ana"}
    assert started["config"] == (await ana.get("/api/config")).json()
    assert started["boards"] == (await ana.get("/api/boards")).json()["boards"]
    assert started["snapshot"] == (await ana.get("/api/boards/vendas")).json()
    assert started["snapshot"]["presence"] == []


def test_a_new_build_has_another_fingerprint(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    assert file_fingerprint(page) == ""
    page.write_text("<script src=/assets/a1.js>")
    first = file_fingerprint(page)
    page.write_text("<script src=/assets/b2.js>")
    assert len(first) == len(file_fingerprint(page)) == 8
    assert first != file_fingerprint(page)


async def test_start_has_the_requested_board_if_it_is_visible(
    api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    assert (await ana.get("/api/start?board=parcerias")).json()["snapshot"]["board"]["id"] == "parcerias"
    assert (await ana.get("/api/start?board=nope")).json()["snapshot"]["board"]["id"] == "vendas"
    await api.database.execute("DELETE FROM feed.board_members WHERE user_id = 'ana' AND board_id = 'parcerias'")
    started = (await ana.get("/api/start?board=parcerias")).json()
    assert started["snapshot"]["board"]["id"] == "vendas"
    assert [board["id"] for board in started["boards"]] == ["vendas"]
    empty = (await stranger.get("/api/start?board=vendas")).json()
    assert (empty["boards"], empty["snapshot"]) == ([], None)
    problem(await ana.get("/api/start", params={"board": "a\0"}), "invalid-input")
    problem(await (await api.client()).get("/api/start"), "unauthenticated")


async def test_refresh_returns_a_token_for_the_cookie_and_the_demo_renews_it(api: Api) -> None:
    browser = await api.client()
    browser.cookies.set("boardcast_session", api.tokens.issue("ana", "Ana", 60, ["dba"]))
    problem(await browser.post("/api/auth/refresh"), "wrong-origin")
    answer = await browser.post("/api/auth/refresh", headers=OWN_ORIGIN)
    principal = await api.tokens.verify(answer.json()["token"])
    assert (principal.user_id, principal.name, principal.roles) == ("ana", "Ana", frozenset({"dba"}))
    assert answer.json()["user"] == {"id": "ana", "name": "Ana"}
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    later = await api.tokens.verify(answer.cookies["boardcast_session"])
    assert later.expires > (await api.tokens.verify(api.tokens.issue("ana", "Ana", 3600))).expires
    problem(await (await api.client()).post("/api/auth/refresh", headers=OWN_ORIGIN), "unauthenticated")


async def test_outside_the_demo_refresh_returns_the_same_token(api: Api) -> None:
    app_state(api.app).settings = api.settings.model_copy(update={"demo": False})
    token = api.tokens.issue("ana", "Ana", 60)
    client = await api.client(Authorization=f"Bearer {token}")
    answer = await client.post("/api/auth/refresh")
    assert answer.json()["token"] == token
    assert "Set-Cookie" not in answer.headers
    ended = await api.client(Authorization=f"Bearer {api.tokens.issue('ana', 'Ana', -1)}")
    problem(await ended.post("/api/auth/refresh"), "expired-token")


async def test_a_polling_client_gets_presence(api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    card = await api.card()
    bruno = await api.user("bruno")
    path = f"/api/opportunities/{card['id']}/presence"
    assert (await bruno.put(path, json={"action": "editing", "baseVersion": 1})).status_code == 204
    (present,) = (await ana.get("/api/boards/vendas/presence")).json()["presence"]
    assert (present["userId"], present["opportunityId"], present["baseVersion"]) == ("bruno", card["id"], 1)
    assert (await ana.get("/api/boards/vendas")).json()["presence"] == [present]
    assert (await ana.get("/api/boards/parcerias/presence")).json()["presence"] == []
    problem(await stranger.get("/api/boards/vendas/presence"), "unknown-board")
    assert (await bruno.delete(path)).status_code == 204
    assert (await ana.get("/api/boards/vendas/presence")).json()["presence"] == []


async def test_board_presence_is_set_by_request(api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    bruno = await api.user("bruno")
    path = "/api/boards/vendas/presence"
    assert (await bruno.put(path)).status_code == 204
    (present,) = (await ana.get(path)).json()["presence"]
    assert {name: present[name] for name in ("userId", "boardId", "opportunityId", "action")} == {
        "userId": "bruno",
        "boardId": "vendas",
        "opportunityId": None,
        "action": "viewing",
    }
    assert (await ana.get("/api/boards/vendas")).json()["presence"] == [present]
    for method in ("PUT", "DELETE"):
        problem(await stranger.request(method, path), "unknown-board")
        problem(await ana.request(method, "/api/boards/none/presence"), "unknown-board")
    assert (await bruno.delete(path)).status_code == 204
    assert (await ana.get(path)).json()["presence"] == []


async def test_a_client_may_choose_the_id_of_a_card(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card(id="0f8fad5b-d9cb-469f")
    assert card["id"] == "0f8fad5b-d9cb-469f"
    body = {"board_id": "vendas", "phase": "won", "title": "x"}
    again = body | {"id": card["id"]}
    problem(await ana.post("/api/opportunities", json=again), "conflict")
    assert (await ana.delete(f"/api/opportunities/{card['id']}", headers={"If-Match": '"v1"'})).status_code == 204
    problem(await ana.post("/api/opportunities", json=again), "conflict")
    for wrong in ("short", "x" * 65, "with space", "a/b/c/d/e", "ação1234", "12345678\n", 12345678):
        problem(await ana.post("/api/opportunities", json=body | {"id": wrong}), "invalid-input")
    assert (await ana.post("/api/opportunities", json=body | {"id": None})).status_code == 201
