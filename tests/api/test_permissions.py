"""Permissions: every role with every operation."""

import httpx
import pytest

from tests.api.harness import Api, problem

ROLES = ("viewer", "editor", "admin", None)


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_has_its_permissions(api: Api, role: str | None) -> None:
    card = await api.card()
    await api.database.execute("INSERT INTO users (id) VALUES ('eva')")
    if role:
        await api.database.execute("INSERT INTO feed.board_members VALUES ('vendas', 'eva', %s)", [role])
    eva = await api.user("eva")
    path = f"/api/opportunities/{card['id']}"
    match = {"If-Match": "*"}
    reads = [await eva.get(path), await eva.get("/api/boards/vendas"), await eva.get(f"{path}/versions")]
    viewing = await eva.put(f"{path}/presence", json={"action": "viewing"})
    editing = await eva.put(f"{path}/presence", json={"action": "editing"})
    assert viewing.is_success is (role is not None)
    assert editing.is_success is (role in {"editor", "admin"})
    new = {"board_id": "vendas", "phase": "won", "title": "x"}
    writes = [
        await eva.post("/api/opportunities", json=new),
        await eva.patch(path, json={"title": "y"}, headers=match),
        await eva.delete(path, headers=match),
    ]
    assert [answer.is_success for answer in reads] == [role is not None] * 3
    assert [answer.is_success for answer in writes] == [role in {"editor", "admin"}] * 3
    if role == "viewer":
        for answer in (editing, *writes):
            problem(answer, "read-only")
    if role is None:
        unknown = ["unknown-opportunity", "unknown-board", "unknown-opportunity"]
        for answer, slug in zip(reads, unknown, strict=True):
            problem(answer, slug)
        for answer, slug in zip(writes, ["unknown-board", *["unknown-opportunity"] * 2], strict=True):
            problem(answer, slug)


@pytest.mark.parametrize(("role", "slug"), [("viewer", "read-only"), (None, "unknown-board"), ("admin", None)])
async def test_a_move_to_another_board_needs_write_permission_on_both(
    api: Api, role: str | None, slug: str | None
) -> None:
    card = await api.card()
    await api.database.execute("DELETE FROM feed.board_members WHERE board_id = 'parcerias' AND user_id = 'ana'")
    if role:
        await api.database.execute("INSERT INTO feed.board_members VALUES ('parcerias', 'ana', %s)", [role])
    ana = await api.user("ana")
    answer = await ana.patch(
        f"/api/opportunities/{card['id']}", json={"board_id": "parcerias"}, headers={"If-Match": '"v1"'}
    )
    if slug:
        problem(answer, slug)
        assert (await ana.get(f"/api/opportunities/{card['id']}")).json() == card
    else:
        assert answer.json()["board_id"] == "parcerias"
        ops = await api.database.execute("SELECT op FROM feed.log WHERE key = %s ORDER BY seq", [card["id"]])
        assert [row["op"] for row in ops] == ["insert", "leave", "enter"]


async def test_an_invisible_board_is_answered_like_a_missing_one(stranger: httpx.AsyncClient) -> None:
    answers = [(await stranger.get(f"/api/boards/{board}")).json() for board in ("vendas", "nowhere")]
    for answer in answers:
        del answer["instance"], answer["request_id"]
    assert answers[0] == answers[1]
    assert (await stranger.get("/api/boards")).json() == {"boards": []}
