"""Any ID works in every path, percent-encoded as encodeURIComponent does. Those that cannot work are refused when they are made."""

from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from db import migrate
from tests.api.harness import Api, problem
from tests.support.database import Database

IDS = [
    "a/b",
    "/",
    "a//b/",
    "../../boards",
    "...",
    "%2F",
    "100%",
    "?board=x",
    "#",
    "a b+c",
    "a&b=c;d",
    "\"'<>\\",
    "ação ☃ 😀",
    "line\nbreak\r\t\x7f\x85\u2028",
    "a:b@c[d]{e}|~^`$!*()",
    "versions",
    "x" * 200,
]


def encoded(id_: str) -> str:
    """Encode as encodeURIComponent does."""
    return quote(id_, safe="!'()*")


@pytest.mark.parametrize("id_", IDS)
async def test_any_id_works_on_every_route(api: Api, id_: str) -> None:
    await api.database.execute(
        "INSERT INTO feed.boards (id, name, phases) SELECT %s, 'Odd', phases FROM feed.boards LIMIT 1", [id_]
    )
    await api.database.execute("INSERT INTO feed.board_members VALUES (%s, 'ana', 'editor')", [id_])
    await api.database.execute("INSERT INTO opportunities (id, board_id, title) VALUES (%s, %s, 'Odd')", [id_, id_])
    ana, path = await api.user("ana"), encoded(id_)
    card, board = f"/api/opportunities/{path}", f"/api/boards/{path}"

    assert (await _ok(ana.get(board)))["board"]["id"] == id_
    assert (await _ok(ana.get(f"{board}/presence")))["presence"] == []
    await _ok(ana.put(f"{board}/presence"))
    assert [each["boardId"] for each in (await _ok(ana.get(f"{board}/presence")))["presence"]] == [id_]
    await _ok(ana.delete(f"{board}/presence"))
    assert (await _ok(ana.get("/api/opportunities", params={"board": id_})))["opportunities"][0]["id"] == id_
    assert (await _ok(ana.get("/api/start", params={"board": id_})))["snapshot"]["board"]["id"] == id_

    assert (await _ok(ana.get(card)))["id"] == id_
    await _ok(ana.put(f"{card}/presence", json={"action": "editing"}))
    await _ok(ana.delete(f"{card}/presence"))
    response = await ana.patch(card, json={"title": "New"}, headers={"If-Match": '"v1"'})
    assert (response.status_code, response.json()["title"]) == (200, "New")
    stale = problem(await ana.patch(card, json={"title": "Newer"}, headers={"If-Match": '"v1"'}), "stale-version")
    assert stale["instance"] == quote(f"/api/opportunities/{id_}")
    resolved = await ana.post(
        f"{card}/resolve-conflict",
        json={"clientVersion": 1, "serverVersion": 2, "resolution": "client", "clientData": {"title": "Newer"}},
    )
    assert resolved.json()["version_number"] == 3
    listed = await ana.get(f"{card}/versions", params={"limit": 1})
    assert listed.json()["versions"][0]["version_number"] == 3
    following = listed.headers["Link"].partition(">")[0].removeprefix("<")
    assert [each["version_number"] for each in (await _ok(ana.get(following)))["versions"]] == [2]
    assert (await _ok(ana.get(f"{card}/versions/1")))["version_number"] == 1
    restored = await ana.post(f"{card}/versions/1/restore", headers={"If-Match": '"v3"'})
    assert (restored.status_code, restored.json()["title"]) == (200, "Odd")
    await _ok(ana.delete(card, headers={"If-Match": '"v4"'}))
    problem(await ana.get(card), "unknown-opportunity")


async def _ok(request: Any) -> Any:
    response: httpx.Response = await request
    assert response.is_success, response.text
    return response.json() if response.content else None


async def test_a_path_without_an_id_is_not_another_route(api: Api, ana: httpx.AsyncClient) -> None:
    for path in ("/api/boards/", "/api/boards//presence", "/api/opportunities/", "/api/opportunities//versions"):
        problem(await ana.get(path), "not-found")
    problem(await ana.get("/api%2Fboards"), "not-found")
    assert (await ana.get("/%61pi/boards")).status_code == 200


async def test_an_opportunity_may_have_the_longest_id_of_an_index(api: Api, ana: httpx.AsyncClient) -> None:
    # A compressible key could be longer still, but not by much.
    id_ = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(880))
    await api.database.execute("INSERT INTO opportunities (id, board_id, title) VALUES (%s, 'vendas', 'Long')", [id_])
    assert (await _ok(ana.get(f"/api/opportunities/{encoded(id_)}")))["id"] == id_
    page = await _ok(ana.get("/api/opportunities", params={"after": id_}))
    assert id_ not in [card["id"] for card in page["opportunities"]]


@pytest.mark.parametrize("id_", ["", ".", "..", "a,b", ",", "x" * 201])
async def test_a_board_that_could_not_be_requested_is_refused(database: Database, id_: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="boards_id_"):
        await database.execute("INSERT INTO feed.boards (id, name, phases) VALUES (%s, 'Odd', '[]')", [id_])


@pytest.mark.parametrize("id_", ["", ".", ".."])
async def test_a_table_with_an_id_that_cannot_be_requested_is_not_adopted(empty_database: Database, id_: str) -> None:
    await empty_database.execute("CREATE TABLE opportunities (id varchar PRIMARY KEY)")
    await empty_database.execute("INSERT INTO opportunities VALUES (%s)", [id_])
    with pytest.raises(Exception, match=f"cannot be the board: a row has the id '{id_}', which no URL can contain"):
        migrate.upgrade(empty_database.url)
