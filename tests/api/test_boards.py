"""Boards and their phases, changed over the API: who may, what is refused, and what others see."""

import asyncio
from typing import Any

import httpx

from api.state import app_state
from tests.api.harness import OPEN_PHASE as OPEN
from tests.api.harness import WON_PHASE as WON
from tests.api.harness import Api, new_board, problem

ANY = {"If-Match": "*"}
HOSTILE = (
    "'; DROP TABLE feed.boards; --",
    '"><script>alert(1)</script>',
    "{{7*7}}${7*7}",
    "%s%n%d",
    "%(name)s {0} {name}",
    "\\",
    "\u202egnp.exe",
    "\ufeffzero\u200bwidth",
    "a\nb\r\nc\td",
    "\x01\x1b[31m",
    "👩‍👩‍👧‍👦",
    "e\u0301" * 20,
    "Ω≈ç√∫",
    "مرحبا",
    "null",
    "../../etc/passwd",
    "a,b",
    "$text",
    "ﷺ" * 100,
    "x" * 300,
)
INVALID: tuple[object, ...] = ("", "   ", "x" * 301, "a\0b", 5, None, [], {})


async def test_a_new_board_has_its_creator_as_admin(api: Api, stranger: httpx.AsyncClient) -> None:
    made = await new_board(stranger, name="  Vendas ", currency="EUR")
    kept = {"id": made["id"], "name": "Vendas", "currency": "EUR", "archived": False, "version": 1}
    kept |= {"closeReasons": [], "staleDays": 14}
    assert made == kept | {"phases": [OPEN | {"kind": "open"}, WON]}
    snapshot = (await stranger.get(f"/api/boards/{made['id']}")).json()
    assert snapshot["board"] == made
    assert (snapshot["role"], [each["role"] for each in snapshot["members"]]) == ("admin", ["admin"])
    listed = (await stranger.get("/api/boards")).json()["boards"]
    assert listed == [{"id": made["id"], "name": "Vendas", "role": "admin", "archived": False}]
    card = await stranger.post("/api/opportunities", json={"board_id": made["id"], "phase": "new", "title": "x"})
    assert (card.json()["currency"], card.json()["probability"]) == ("EUR", None)
    for fields, probability in (({}, 100), ({"probability": 5}, 5), ({"probability": None}, None)):
        body = {"board_id": made["id"], "phase": "won", "title": "x"} | fields
        assert (await stranger.post("/api/opportunities", json=body)).json()["probability"] == probability
    written = await api.database.execute(
        "SELECT relation, actor FROM feed.log WHERE board = %s AND relation LIKE 'feed.%%' ORDER BY seq", [made["id"]]
    )
    assert [tuple(row.values()) for row in written] == [
        *(("feed.boards", "zeca"), ("feed.board_members", "zeca")),
        *[("feed.opportunity_details", "zeca")] * 3,  # of the cards that were won
    ]


async def test_a_repeated_request_creates_one_board(stranger: httpx.AsyncClient) -> None:
    await new_board(stranger, id="my-board-1")
    again = await stranger.post("/api/boards", json={"id": "my-board-1", "name": "x", "phases": [OPEN]})
    problem(again, "conflict")


async def test_a_copy_has_the_phases_and_the_currency(ana: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    source = await new_board(ana, currency="USD")
    copy = (await ana.post("/api/boards", json={"name": "Copy", "copyOf": source["id"]})).json()
    assert (copy["phases"], copy["currency"]) == (source["phases"], "USD")
    problem(await stranger.post("/api/boards", json={"name": "Copy", "copyOf": source["id"]}), "unknown-board")


async def test_a_board_is_renamed_archived_and_restored(api: Api, ana: httpx.AsyncClient) -> None:
    made = await new_board(ana)
    path = f"/api/boards/{made['id']}"
    card = {"board_id": made["id"], "phase": "new", "title": "x"}
    there = (await ana.post("/api/opportunities", json=card)).json()
    renamed = await ana.patch(path, json={"name": "Novo"}, headers={"If-Match": '"v1"'})
    assert (renamed.json()["name"], renamed.headers["ETag"]) == ("Novo", '"v2"')
    row = (await api.database.execute("SELECT actor, xid::text, version FROM feed.log ORDER BY seq DESC LIMIT 1"))[0]
    assert tuple(row.values()) == ("ana", renamed.headers["X-Event-Xid"], 2)
    archived = await ana.patch(path, json={"archived": True}, headers={"If-Match": '"v2"'})
    assert archived.json()["archived"] is True
    assert (await ana.get("/api/boards")).json()["boards"][-1]["archived"] is True
    problem(await ana.patch(path, json={"name": "x"}, headers=ANY), "board-archived")
    problem(await ana.post("/api/opportunities", json=card), "board-archived")
    there_path = f"/api/opportunities/{there['id']}"
    for refused in (
        await ana.patch(there_path, json={"title": "y"}, headers=ANY),
        await ana.delete(there_path, headers=ANY),
        await ana.post(f"{there_path}/versions/1/restore", headers=ANY),
    ):
        problem(refused, "board-archived")
    restored = await ana.patch(path, json={"archived": False}, headers={"If-Match": '"v3"'})
    assert (restored.json()["archived"], restored.json()["version"]) == (False, 4)
    assert (await ana.patch(there_path, json={"title": "y"}, headers=ANY)).is_success


async def test_a_change_of_nothing_makes_no_version(ana: httpx.AsyncClient) -> None:
    made = await new_board(ana)
    for body in ({}, {"name": made["name"]}, {"phases": made["phases"]}):
        same = await ana.patch(f"/api/boards/{made['id']}", json=body, headers=ANY)
        assert (same.json(), "X-Event-Xid" in same.headers) == (made, False)


async def test_two_admins_reorder_the_phases_at_once(ana: httpx.AsyncClient) -> None:
    made = await new_board(ana)
    path = f"/api/boards/{made['id']}"
    bodies = [{"phases": made["phases"][::-1]}, {"phases": [*made["phases"], {"id": "late", "name": "Late"}]}]
    answers = await asyncio.gather(*(ana.patch(path, json=body, headers={"If-Match": '"v1"'}) for body in bodies))
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 200
    stale = problem(lost, "stale-board")
    assert stale["current"] == won.json() == (await ana.get(path)).json()["board"]
    assert lost.headers["ETag"] == '"v2"'


async def test_a_change_in_sql_makes_a_version_stale(api: Api, ana: httpx.AsyncClient) -> None:
    await api.database.execute("UPDATE feed.boards SET name = 'From psql' WHERE id = 'vendas'")
    stale = problem(
        await ana.patch("/api/boards/vendas", json={"name": "x"}, headers={"If-Match": '"v1"'}), "stale-board"
    )
    assert (stale["current"]["name"], stale["current"]["version"]) == ("From psql", 2)


async def test_the_cards_of_a_deleted_phase_move_in_their_order(api: Api, ana: httpx.AsyncClient) -> None:
    made = await new_board(ana)
    path = f"/api/boards/{made['id']}"
    titles = ("one", "two", "three")
    for phase, title in (("won", "first"), *(("new", title) for title in titles)):
        body = {"board_id": made["id"], "phase": phase, "title": title}
        assert (await ana.post("/api/opportunities", json=body)).is_success
    refused = await ana.patch(path, json={"phases": [WON]}, headers=ANY)
    assert problem(refused, "phase-in-use")["cards"] == {"new": 3}
    for wrong in ({"new": "nowhere"}, {"nowhere": "won"}, {"won": "won"}):
        problem(await ana.patch(path, json={"phases": [WON], "moveCards": wrong}, headers=ANY), "unknown-phase")
    assert (await ana.get(path)).json()["board"] == made
    moved = await ana.patch(path, json={"phases": [WON], "moveCards": {"new": "won"}}, headers=ANY)
    assert moved.json()["phases"] == [WON]
    cards = (await ana.get(path)).json()["opportunities"]
    assert [(card["title"], card["phase"]) for card in cards] == [(each, "won") for each in ("first", *titles)]
    assert {card["last_modified_by"] for card in cards} == {"ana"}
    logged = await api.database.execute(
        "SELECT DISTINCT actor FROM feed.log WHERE xid = %s::text::xid8", [moved.headers["X-Event-Xid"]]
    )
    assert [row["actor"] for row in logged] == ["ana"]


async def test_no_card_is_left_in_a_phase_that_is_deleted_meanwhile(ana: httpx.AsyncClient) -> None:
    made = await new_board(ana)
    path = f"/api/boards/{made['id']}"
    new = {"board_id": made["id"], "title": "x"}
    card = (await ana.post("/api/opportunities", json=new | {"phase": "won"})).json()
    answers = await asyncio.gather(
        ana.patch(f"/api/opportunities/{card['id']}", json={"phase": "new"}, headers=ANY),
        ana.post("/api/opportunities", json=new | {"phase": "new"}),
        ana.patch(path, json={"phases": [WON], "moveCards": {"new": "won"}}, headers=ANY),
    )
    for answer in answers[:2]:
        if not answer.is_success:
            problem(answer, "unknown-phase")
    assert answers[2].is_success
    board = (await ana.get(path)).json()
    assert {each["phase"] for each in board["opportunities"]} == {"won"}


async def test_what_the_api_does_not_know_about_a_phase_is_kept(api: Api, ana: httpx.AsyncClient) -> None:
    await api.database.execute(
        """UPDATE feed.boards SET phases = '[{"id": "a", "name": "A", "sla": 3, "color": "red"}]' WHERE id = 'vendas'"""
    )
    await api.database.execute("DELETE FROM opportunities")
    body = {"phases": [{"id": "b", "name": "B"}, {"id": "a", "name": "AA"}]}
    changed = (await ana.patch("/api/boards/vendas", json=body, headers=ANY)).json()
    assert changed["phases"][1] == {"id": "a", "name": "AA", "sla": 3, "kind": "open"}


async def test_hostile_texts_are_stored_as_they_are(ana: httpx.AsyncClient) -> None:
    for text in HOSTILE:
        made = await new_board(ana, name=text, phases=[{"id": text, "name": text}])
        assert made["name"] == made["phases"][0]["name"] == made["phases"][0]["id"] == text
        path = f"/api/boards/{made['id']}"
        assert (await ana.get(path)).json()["board"] == made
        problem(await ana.post(f"{path}/members", json={"userId": text[:200]}), "unknown-user")
        problem(await ana.post(f"{path}/members", json={"email": "a@" + "".join(text.split())[:200]}), "unknown-user")


async def test_unusable_names(ana: httpx.AsyncClient) -> None:
    for text in INVALID:
        for body, pointer in (({"name": text}, "/name"), ({"phases": [OPEN | {"name": text}]}, "/phases/0/name")):
            posted = await ana.post("/api/boards", json={"name": "x", "phases": [OPEN]} | body)
            patched = await ana.patch("/api/boards/vendas", json=body, headers=ANY)
            for answer in (posted, patched):
                assert pointer in {fault["pointer"] for fault in problem(answer, "invalid-input")["errors"]}


INVALID_FIELDS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"currency": "eur"}, "/currency"),
    ({"archived": 1}, "/archived"),
    ({"phases": []}, "/phases"),
    ({"phases": [OPEN | {"id": f"p{n}"} for n in range(51)]}, "/phases"),
    ({"phases": [OPEN, OPEN]}, "/phases"),
    ({"phases": [OPEN | {"kind": "maybe"}]}, "/phases/0/kind"),
    ({"phases": [OPEN | {"color": "#ff0000"}]}, "/phases/0/color"),
    ({"phases": [OPEN | {"probability": 101}]}, "/phases/0/probability"),
    ({"phases": [OPEN | {"id": ""}]}, "/phases/0/id"),
    ({"phases": [OPEN | {"more": 1}]}, "/phases/0/more"),
    ({"moveCards": {"a": 5}}, "/moveCards/a"),
    ({"moveCards": {"new": "won"}}, ""),
    ({"version": 3}, "/version"),
)


async def test_the_problem_points_to_an_invalid_field(ana: httpx.AsyncClient) -> None:
    for fields, pointer in INVALID_FIELDS:
        answer = await ana.patch("/api/boards/vendas", json=fields, headers=ANY)
        assert pointer in {fault["pointer"] for fault in problem(answer, "invalid-input")["errors"]}


async def test_the_number_of_boards_is_limited(api: Api, ana: httpx.AsyncClient) -> None:
    path = f"/api/boards/{(await new_board(ana))['id']}/members"
    app_state(api.app).settings = api.settings.model_copy(update={"max_boards": 2})
    problem(await ana.post("/api/boards", json={"name": "x", "phases": [OPEN]}), "limit-reached")
    problem(await ana.post(path, json={"userId": "bruno"}), "limit-reached")


async def test_an_application_decides_its_boards_and_phases(api: Api, ana: httpx.AsyncClient) -> None:
    await api.database.execute("UPDATE feed.adopted SET created = false WHERE role = 'opportunities'")
    board = (await ana.get("/api/boards/vendas")).json()["board"]
    problem(await ana.post("/api/boards", json={"name": "x", "phases": [OPEN]}), "application-board")
    problem(await ana.patch("/api/boards/vendas", json={"phases": [OPEN]}, headers=ANY), "application-board")
    phases = [phase | {"name": phase["name"].upper(), "color": "red"} for phase in board["phases"][::-1]]
    changed = await ana.patch("/api/boards/vendas", json={"name": "x", "phases": phases}, headers=ANY)
    assert changed.json()["phases"] == phases
    assert (await ana.patch("/api/boards/vendas", json={"archived": True}, headers=ANY)).is_success
    assert (await ana.delete("/api/boards/vendas/members/diego", headers=ANY)).is_success
