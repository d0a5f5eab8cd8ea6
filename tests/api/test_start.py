"""The first load, the session's token, and who is where for those who poll."""

from pathlib import Path

import httpx

from api.fingerprints import file_fingerprint
from api.state import app_state
from tests.api.harness import HOST, Api, problem

OURS = {"Origin": f"http://{HOST}"}


async def test_one_request_has_all_that_a_page_begins_with(api: Api, ana: httpx.AsyncClient) -> None:
    started = (await ana.get("/api/start")).json()
    assert started["user"] == {"id": "ana", "name": "Ana"}
    assert started["config"] == (await ana.get("/api/config")).json()
    assert started["boards"] == (await ana.get("/api/boards")).json()["boards"]
    assert started["snapshot"] == (await ana.get("/api/boards/vendas")).json()
    assert started["snapshot"]["presence"] == []


def test_a_page_that_was_built_anew_is_another(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    assert file_fingerprint(page) == ""
    page.write_text("<script src=/assets/a1.js>")
    first = file_fingerprint(page)
    page.write_text("<script src=/assets/b2.js>")
    assert len(first) == len(file_fingerprint(page)) == 8
    assert first != file_fingerprint(page)


async def test_it_begins_with_the_board_that_is_asked_for_if_it_is_ones_own(
    api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    assert (await ana.get("/api/start?board=parcerias")).json()["snapshot"]["board"]["id"] == "parcerias"
    assert (await ana.get("/api/start?board=nope")).json()["snapshot"]["board"]["id"] == "vendas"
    await api.database.execute("DELETE FROM board_members WHERE user_id = 'ana' AND board_id = 'parcerias'")
    started = (await ana.get("/api/start?board=parcerias")).json()
    assert started["snapshot"]["board"]["id"] == "vendas"
    assert [board["id"] for board in started["boards"]] == ["vendas"]
    nothing = (await stranger.get("/api/start?board=vendas")).json()
    assert (nothing["boards"], nothing["snapshot"]) == ([], None)
    problem(await ana.get("/api/start", params={"board": "a\0"}), "invalid-input")
    problem(await (await api.anybody()).get("/api/start"), "unauthenticated")


async def test_a_page_gets_the_token_of_its_cookie_and_the_demo_prolongs_it(api: Api) -> None:
    browser = await api.anybody()
    browser.cookies.set("boardcast_session", api.tokens.issue("ana", "Ana", 60, ["dba"]))
    problem(await browser.post("/api/auth/refresh"), "wrong-origin")
    answer = await browser.post("/api/auth/refresh", headers=OURS)
    who = await api.tokens.verify(answer.json()["token"])
    assert (who.user_id, who.name, who.roles) == ("ana", "Ana", frozenset({"dba"}))
    assert answer.json()["user"] == {"id": "ana", "name": "Ana"}
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    later = await api.tokens.verify(answer.cookies["boardcast_session"])
    assert later.expires > (await api.tokens.verify(api.tokens.issue("ana", "Ana", 3600))).expires
    problem(await (await api.anybody()).post("/api/auth/refresh", headers=OURS), "unauthenticated")


async def test_outside_the_demo_the_token_comes_back_as_it_is(api: Api) -> None:
    app_state(api.app).settings = api.settings.model_copy(update={"demo": False})
    token = api.tokens.issue("ana", "Ana", 60)
    client = await api.anybody(Authorization=f"Bearer {token}")
    answer = await client.post("/api/auth/refresh")
    assert answer.json()["token"] == token
    assert "Set-Cookie" not in answer.headers
    ended = await api.anybody(Authorization=f"Bearer {api.tokens.issue('ana', 'Ana', -1)}")
    problem(await ended.post("/api/auth/refresh"), "expired-token")


async def test_who_polls_sees_who_is_where(api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    card = await api.card()
    bruno = await api.user("bruno")
    path = f"/api/opportunities/{card['id']}/presence"
    assert (await bruno.put(path, json={"action": "editing", "baseVersion": 1})).status_code == 204
    (there,) = (await ana.get("/api/boards/vendas/presence")).json()["presence"]
    assert (there["userId"], there["opportunityId"], there["baseVersion"]) == ("bruno", card["id"], 1)
    assert (await ana.get("/api/boards/vendas")).json()["presence"] == [there]
    assert (await ana.get("/api/boards/parcerias/presence")).json()["presence"] == []
    problem(await stranger.get("/api/boards/vendas/presence"), "unknown-board")
    assert (await bruno.delete(path)).status_code == 204
    assert (await ana.get("/api/boards/vendas/presence")).json()["presence"] == []


async def test_who_looks_at_a_board_says_so_by_request(
    api: Api, ana: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    bruno = await api.user("bruno")
    path = "/api/boards/vendas/presence"
    assert (await bruno.put(path)).status_code == 204
    (there,) = (await ana.get(path)).json()["presence"]
    assert {name: there[name] for name in ("userId", "boardId", "opportunityId", "action")} == {
        "userId": "bruno",
        "boardId": "vendas",
        "opportunityId": None,
        "action": "viewing",
    }
    assert (await ana.get("/api/boards/vendas")).json()["presence"] == [there]
    for method in ("PUT", "DELETE"):
        problem(await stranger.request(method, path), "unknown-board")
        problem(await ana.request(method, "/api/boards/none/presence"), "unknown-board")
    assert (await bruno.delete(path)).status_code == 204
    assert (await ana.get(path)).json()["presence"] == []


async def test_a_card_may_be_named_by_who_makes_it(api: Api, ana: httpx.AsyncClient) -> None:
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
