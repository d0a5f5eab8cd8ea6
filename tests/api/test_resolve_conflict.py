"""Settling a conflict: by either side, by a merge, and never over what nobody has seen."""

import json
from typing import Any

import httpx
import pytest

from tests.api.harness import Api, problem


async def clash(api: Api, mine: dict[str, Any], theirs: dict[str, Any], **base: Any) -> tuple[str, dict[str, Any]]:
    """Make a card that Bruno changed after Ana had begun to; its path, and what she is told."""
    card = await api.card(**base)
    path = f"/api/opportunities/{card['id']}"
    bruno, ana = await api.user("bruno"), await api.user("ana")
    assert (await bruno.patch(path, json=theirs, headers={"If-Match": '"v1"'})).is_success
    return path, problem(await ana.patch(path, json=mine, headers={"If-Match": '"v1"'}), "stale-version")


async def parents(client: httpx.AsyncClient, path: str) -> dict[int, list[int] | None]:
    found = (await client.get(f"{path}/versions")).json()["versions"]
    return {version["version_number"]: version["parents"] for version in found}


async def test_my_side_wins_and_the_version_names_both(api: Api, ana: httpx.AsyncClient) -> None:
    path, told = await clash(api, {"title": "mine"}, {"title": "theirs", "value": 5})
    assert told["conflicts"] == ["title"]
    answer = await ana.post(
        f"{path}/resolve-conflict",
        json={"clientVersion": 1, "serverVersion": "v2", "resolution": "client", "clientData": {"title": "mine"}},
        headers={"X-Mutation-Id": "m-9"},
    )
    row = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"v3"')
    assert (row["title"], row["value"], row["last_modified_by"]) == ("mine", 5, "ana")
    assert await parents(ana, path) == {3: [1, 2], 2: None, 1: None}
    (change,) = await api.database.execute(
        "SELECT xid::text, origin FROM feed.log WHERE key = %s AND version = 3", [row["id"]]
    )
    assert change == {"xid": answer.headers["X-Event-Xid"], "origin": "m-9"}


async def test_their_side_is_taken_without_a_write(api: Api, ana: httpx.AsyncClient) -> None:
    path, told = await clash(api, {"title": "mine"}, {"title": "theirs"})
    answer = await ana.post(
        f"{path}/resolve-conflict", json={"clientVersion": "1", "serverVersion": "2", "resolution": "server"}
    )
    assert (answer.json(), answer.headers["ETag"]) == (told["current"], '"v2"')
    assert "X-Event-Xid" not in answer.headers
    assert await parents(ana, path) == {2: None, 1: None}


async def test_a_merge_takes_what_either_side_changed_and_notes_by_their_lines(
    api: Api, ana: httpx.AsyncClient
) -> None:
    mine = {"notes": "call at 9\nbring samples\nask for Ana", "company": "ACME", "value": 10, "position": "a5"}
    theirs = {"notes": "call at 10\nbring samples", "value": 20.5, "title": "Bigger", "position": "a7"}
    path, told = await clash(api, mine, theirs, notes="call at 9\nbring samples", value=10)
    assert told["conflicts"] == ["value", "notes"]
    body = {"clientVersion": 1, "serverVersion": 2, "resolution": "merge", "clientData": mine}
    answer = await ana.post(f"{path}/resolve-conflict", json=body)
    row = answer.json()
    assert answer.status_code == 200, answer.text
    assert row["notes"] == "call at 10\nbring samples\nask for Ana"
    assert (row["company"], row["title"], row["value"], row["position"]) == ("ACME", "Bigger", 20.5, "a5")
    assert await parents(ana, path) == {3: [1, 2], 2: None, 1: None}


async def test_what_cannot_be_merged_is_asked_about_and_then_settled(api: Api, ana: httpx.AsyncClient) -> None:
    mine = {"value": 30, "notes": "mine", "expected_close_date": "2027-01-31"}
    path, told = await clash(api, mine, {"value": 20, "notes": "theirs"}, value=10, notes="base")
    body: dict[str, Any] = {"clientVersion": 1, "serverVersion": 2, "resolution": "merge", "clientData": mine}
    answer = await ana.post(f"{path}/resolve-conflict", json=body)
    asked = problem(answer, "merge-conflict")
    assert asked["conflicts"] == ["value", "notes"]
    assert asked["merged"] == {"expected_close_date": "2027-01-31"}
    assert (asked["base"], asked["current"]) == (told["base"], told["current"])
    assert (await ana.get(path)).json() == told["current"]
    body["mergedData"] = asked["merged"] | {"value": 25, "notes": "both"}
    row = (await ana.post(f"{path}/resolve-conflict", json=body)).json()
    assert (row["value"], row["notes"], row["expected_close_date"]) == (25, "both", "2027-01-31")
    assert await parents(ana, path) == {3: [1, 2], 2: None, 1: None}


async def test_a_decision_made_of_an_older_version_is_stale_again(api: Api, ana: httpx.AsyncClient) -> None:
    path, _ = await clash(api, {"title": "mine"}, {"title": "theirs"})
    bruno = await api.user("bruno")
    assert (await bruno.patch(path, json={"title": "newer"}, headers={"If-Match": '"v2"'})).is_success
    for resolution in ("client", "merge", "server"):
        body = {"clientVersion": 1, "serverVersion": 2, "resolution": resolution, "clientData": {"title": "mine"}}
        told = problem(await ana.post(f"{path}/resolve-conflict", json=body), "stale-version")
        assert (told["current"]["title"], told["base"]["title"], told["conflicts"]) == ("newer", "A deal", ["title"])
    assert (await ana.get(path)).json()["title"] == "newer"


async def test_when_the_base_is_not_kept_any_more_every_difference_is_a_conflict(
    api: Api, ana: httpx.AsyncClient
) -> None:
    mine = {"title": "mine", "company": "ACME", "notes": "n\nm"}
    path, _ = await clash(api, mine, {"title": "theirs"}, notes="n")
    bruno = await api.user("bruno")
    assert (await bruno.patch(path, json={"value": 1}, headers={"If-Match": '"v2"'})).is_success
    await api.database.execute("SELECT feed.prune(now() + interval '1 min')")
    told = problem(await ana.patch(path, json=mine, headers={"If-Match": '"v1"'}), "stale-version")
    assert (told["base"], told["conflicts"]) == (None, ["company", "notes", "title"])
    body = {"clientVersion": 1, "serverVersion": 3, "resolution": "merge", "clientData": mine}
    asked = problem(await ana.post(f"{path}/resolve-conflict", json=body), "merge-conflict")
    assert (asked["base"], asked["conflicts"], asked["merged"]) == (None, ["company", "notes", "title"], {})


async def test_a_move_and_an_edit_never_clash(api: Api, ana: httpx.AsyncClient) -> None:
    path, told = await clash(api, {"phase": "won", "position": "a5"}, {"title": "edited", "position": "a3"})
    assert told["conflicts"] == []
    body = {
        "clientVersion": 1,
        "serverVersion": 2,
        "resolution": "merge",
        "clientData": {"phase": "won", "position": "a5"},
    }
    row = (await ana.post(f"{path}/resolve-conflict", json=body)).json()
    assert (row["title"], row["phase"], row["position"]) == ("edited", "won", "a5")


async def test_a_decision_that_changes_nothing_makes_no_version(api: Api, ana: httpx.AsyncClient) -> None:
    path, told = await clash(api, {"title": "mine"}, {"title": "theirs"})
    body = {"clientVersion": 1, "serverVersion": 2, "resolution": "client", "clientData": {"title": "theirs"}}
    answer = await ana.post(f"{path}/resolve-conflict", json=body)
    assert answer.json() == told["current"]
    assert "X-Event-Xid" not in answer.headers


GOOD = {"clientVersion": 1, "serverVersion": 2, "resolution": "client", "clientData": {"title": "x"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"clientVersion": 0},
        {"clientVersion": True},
        {"clientVersion": 1.5},
        {"clientVersion": "v"},
        {"clientVersion": "V1"},
        {"clientVersion": "1 "},
        {"clientVersion": "१"},
        {"serverVersion": 2**31},
        {"serverVersion": "9999999999"},
        {"serverVersion": None},
        {"clientVersion": 3},
        {"resolution": "mine"},
        {"resolution": ["client"]},
        {"clientData": None},
        {"resolution": "merge", "clientData": None},
        {"clientData": {"title": ""}},
        {"clientData": {"version_number": 9}},
        {"clientData": []},
        {"mergedData": {"value": -1}},
        {"more": 1},
    ],
)
async def test_a_decision_that_makes_no_sense(api: Api, ana: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    path, _ = await clash(api, {"title": "mine"}, {"title": "theirs"})
    problem(await ana.post(f"{path}/resolve-conflict", json=GOOD | wrong), "invalid-input")


async def test_who_may_not_write_may_not_settle(
    api: Api, ana: httpx.AsyncClient, diego: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    path, _ = await clash(api, {"title": "mine"}, {"title": "theirs"})
    for resolution in ("client", "server", "merge"):
        body = GOOD | {"resolution": resolution}
        problem(await diego.post(f"{path}/resolve-conflict", json=body), "read-only")
        problem(await stranger.post(f"{path}/resolve-conflict", json=body), "unknown-opportunity")
    move = GOOD | {"clientData": {"phase": "nowhere"}}
    problem(await ana.post(f"{path}/resolve-conflict", json=move), "unknown-phase")
    move = GOOD | {"clientData": {"board_id": "nowhere"}}
    problem(await ana.post(f"{path}/resolve-conflict", json=move), "unknown-board")
    content = {"Content-Type": "text/plain"}
    problem(
        await ana.post(f"{path}/resolve-conflict", content=json.dumps(GOOD), headers=content), "unsupported-media-type"
    )
