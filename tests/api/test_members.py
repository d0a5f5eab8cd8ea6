"""The members of a board, changed over the API, and what each role may do with a board."""

import asyncio

import httpx
import pytest

from tests.api.harness import WON_PHASE as WON
from tests.api.harness import Api, new_board, problem

ANY = {"If-Match": "*"}


@pytest.mark.parametrize("role", ["viewer", "editor", "admin", None])
async def test_only_admins_change_a_board_and_its_members(api: Api, role: str | None) -> None:
    ana, eva = await api.user("ana"), await api.user("eva")
    made = await new_board(ana)
    await api.database.execute("INSERT INTO users (id) VALUES ('eva'), ('ivo')")
    path = f"/api/boards/{made['id']}"
    if role:
        added = await ana.post(f"{path}/members", json={"userId": "eva", "role": role})
        assert added.status_code == 201
    answers = [
        await eva.patch(path, json={"name": "x"}, headers=ANY),
        await eva.patch(path, json={"phases": [WON]}, headers=ANY),
        await eva.patch(path, json={"archived": False}, headers=ANY),
        await eva.post(f"{path}/members", json={"userId": "ivo"}),
        await eva.patch(f"{path}/members/ivo", json={"role": "viewer"}, headers=ANY),
        await eva.delete(f"{path}/members/ivo", headers=ANY),
    ]
    if role == "admin":
        assert all(answer.is_success for answer in answers)
    else:
        for answer in answers:
            problem(answer, "admin-only" if role else "unknown-board")
    leaving = await eva.delete(f"{path}/members/eva", headers=ANY)
    if role:
        assert leaving.status_code == 204
        assert leaving.headers["X-Event-Xid"]
    else:
        problem(leaving, "unknown-board")
    problem(await eva.get(path), "unknown-board")


async def test_members_are_invited_by_id_or_address(api: Api, ana: httpx.AsyncClient) -> None:
    path = f"/api/boards/{(await new_board(ana))['id']}/members"
    by_id = await ana.post(path, json={"userId": "bruno", "role": "viewer"})
    assert by_id.json() == {"userId": "bruno", "name": "Bruno Lima", "role": "viewer"}
    assert by_id.headers["ETag"] == '"viewer"'
    assert by_id.headers["Location"] == f"{path}/bruno"
    by_address = await ana.post(path, json={"email": "CARLA@example.com"})
    assert by_address.json() == {"userId": "carla", "name": "Carla Nunes", "role": "editor"}
    problem(await ana.post(path, json={"userId": "carla"}), "conflict")
    problem(await ana.post(path, json={"userId": "nobody"}), "unknown-user")
    problem(await ana.post(path, json={"email": "nobody@example.com"}), "unknown-user")
    await api.database.execute("INSERT INTO users VALUES ('twin', 'Twin', 'diego@example.com')")
    problem(await ana.post(path, json={"email": "diego@example.com"}), "unknown-user")
    for body in ({}, {"userId": "diego", "email": "diego@example.com"}, {"email": "no"}, {"userId": "a\0b"}):
        problem(await ana.post(path, json=body), "invalid-input")


async def test_a_stale_change_of_a_member_returns_the_member(ana: httpx.AsyncClient) -> None:
    path = f"/api/boards/{(await new_board(ana))['id']}/members"
    await ana.post(path, json={"userId": "bruno"})
    changed = await ana.patch(f"{path}/bruno", json={"role": "viewer"}, headers={"If-Match": '"editor"'})
    assert (changed.json()["role"], changed.headers["ETag"]) == ("viewer", '"viewer"')
    for stale in (
        await ana.patch(f"{path}/bruno", json={"role": "admin"}, headers={"If-Match": '"editor"'}),
        await ana.delete(f"{path}/bruno", headers={"If-Match": '"editor"'}),
    ):
        assert problem(stale, "stale-member")["current"]["role"] == "viewer"
    problem(await ana.delete(f"{path}/bruno"), "if-match-required")
    problem(await ana.delete(f"{path}/bruno", headers={"If-Match": "viewer"}), "invalid-if-match")
    problem(await ana.delete(f"{path}/zeca", headers=ANY), "unknown-member")


async def test_a_board_keeps_an_admin(api: Api, ana: httpx.AsyncClient) -> None:
    path = f"/api/boards/{(await new_board(ana))['id']}/members"
    problem(await ana.delete(f"{path}/ana", headers=ANY), "last-admin")
    problem(await ana.patch(f"{path}/ana", json={"role": "editor"}, headers=ANY), "last-admin")
    await ana.post(path, json={"userId": "bruno", "role": "admin"})
    bruno = await api.user("bruno")
    leaving = await asyncio.gather(
        ana.delete(f"{path}/ana", headers=ANY), bruno.patch(f"{path}/bruno", json={"role": "viewer"}, headers=ANY)
    )
    done, refused = sorted(leaving, key=lambda answer: answer.status_code)
    assert done.is_success
    problem(refused, "last-admin")
