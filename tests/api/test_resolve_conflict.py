"""Conflict resolution: client, server or merge, and never over a version that the user has not seen."""

import json
from typing import Any

import httpx
import pytest

from tests.api.harness import Api, problem


async def make_conflict(
    api: Api, mine: dict[str, Any], theirs: dict[str, Any], **base: Any
) -> tuple[str, dict[str, Any]]:
    """Create a card that bruno changes while ana edits it; return its path and the problem ana gets."""
    card = await api.card(**base)
    path = f"/api/opportunities/{card['id']}"
    bruno, ana = await api.user("bruno"), await api.user("ana")
    assert (await bruno.patch(path, json=theirs, headers={"If-Match": '"v1"'})).is_success
    return path, problem(await ana.patch(path, json=mine, headers={"If-Match": '"v1"'}), "stale-version")


async def parents(client: httpx.AsyncClient, path: str) -> dict[int, list[int] | None]:
    found = (await client.get(f"{path}/versions")).json()["versions"]
    return {version["version_number"]: version["parents"] for version in found}


async def test_the_client_wins_and_the_version_has_both_parents(api: Api, ana: httpx.AsyncClient) -> None:
    path, conflict = await make_conflict(api, {"title": "mine"}, {"title": "theirs", "value": 5})
    assert conflict["conflicts"] == ["title"]
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


async def test_taking_the_server_version_writes_nothing(api: Api, ana: httpx.AsyncClient) -> None:
    path, conflict = await make_conflict(api, {"title": "mine"}, {"title": "theirs"})
    answer = await ana.post(
        f"{path}/resolve-conflict", json={"clientVersion": "1", "serverVersion": "2", "resolution": "server"}
    )
    assert (answer.json(), answer.headers["ETag"]) == (conflict["current"], '"v2"')
    assert "X-Event-Xid" not in answer.headers
    assert await parents(ana, path) == {2: None, 1: None}


async def test_a_merge_combines_fields_and_lines_of_notes(api: Api, ana: httpx.AsyncClient) -> None:
    mine = {"notes": "call at 9\nbring samples\nask for Ana", "company": "ACME", "value": 10, "position": "a5"}
    theirs = {"notes": "call at 10\nbring samples", "value": 20.5, "title": "Bigger", "position": "a7"}
    path, conflict = await make_conflict(api, mine, theirs, notes="call at 9\nbring samples", value=10)
    assert conflict["conflicts"] == ["value", "notes"]
    body = {"clientVersion": 1, "serverVersion": 2, "resolution": "merge", "clientData": mine}
    answer = await ana.post(f"{path}/resolve-conflict", json=body)
    row = answer.json()
    assert answer.status_code == 200, answer.text
    assert row["notes"] == "call at 10\nbring samples\nask for Ana"
    assert (row["company"], row["title"], row["value"], row["position"]) == ("ACME", "Bigger", 20.5, "a5")
    assert await parents(ana, path) == {3: [1, 2], 2: None, 1: None}


async def test_a_merge_conflict_is_returned_and_resolved_with_merged_data(api: Api, ana: httpx.AsyncClient) -> None:
    mine = {"value": 30, "notes": "mine", "expected_close_date": "2027-01-31"}
    path, conflict = await make_conflict(api, mine, {"value": 20, "notes": "theirs"}, value=10, notes="base")
    body: dict[str, Any] = {"clientVersion": 1, "serverVersion": 2, "resolution": "merge", "clientData": mine}
    answer = await ana.post(f"{path}/resolve-conflict", json=body)
    unresolved = problem(answer, "merge-conflict")
    assert unresolved["conflicts"] == ["value", "notes"]
    assert unresolved["merged"] == {"expected_close_date": "2027-01-31"}
    assert (unresolved["base"], unresolved["current"]) == (conflict["base"], conflict["current"])
    assert (await ana.get(path)).json() == conflict["current"]
    body["mergedData"] = unresolved["merged"] | {"value": 25, "notes": "both"}
    row = (await ana.post(f"{path}/resolve-conflict", json=body)).json()
    assert (row["value"], row["notes"], row["expected_close_date"]) == (25, "both", "2027-01-31")
    assert await parents(ana, path) == {3: [1, 2], 2: None, 1: None}


async def test_a_resolution_of_an_older_version_is_stale(api: Api, ana: httpx.AsyncClient) -> None:
    path, _ = await make_conflict(api, {"title": "mine"}, {"title": "theirs"})
    bruno = await api.user("bruno")
    assert (await bruno.patch(path, json={"title": "newer"}, headers={"If-Match": '"v2"'})).is_success
    for resolution in ("client", "merge", "server"):
        body = {"clientVersion": 1, "serverVersion": 2, "resolution": resolution, "clientData": {"title": "mine"}}
        conflict = problem(await ana.post(f"{path}/resolve-conflict", json=body), "stale-version")
        assert (conflict["current"]["title"], conflict["base"]["title"], conflict["conflicts"]) == (
            "newer",
            "A deal",
            ["title"],
        )
    assert (await ana.get(path)).json()["title"] == "newer"


async def test_if_the_base_was_pruned_every_difference_is_a_conflict(api: Api, ana: httpx.AsyncClient) -> None:
    mine = {"title": "mine", "company": "ACME", "notes": "n\nm"}
    path, _ = await make_conflict(api, mine, {"title": "theirs"}, notes="n")
    bruno = await api.user("bruno")
    assert (await bruno.patch(path, json={"value": 1}, headers={"If-Match": '"v2"'})).is_success
    await api.database.execute("SELECT feed.prune(now() + interval '1 min')")
    conflict = problem(await ana.patch(path, json=mine, headers={"If-Match": '"v1"'}), "stale-version")
    assert (conflict["base"], conflict["conflicts"]) == (None, ["company", "notes", "title"])
    body = {"clientVersion": 1, "serverVersion": 3, "resolution": "merge", "clientData": mine}
    unresolved = problem(await ana.post(f"{path}/resolve-conflict", json=body), "merge-conflict")
    assert (unresolved["base"], unresolved["conflicts"], unresolved["merged"]) == (
        None,
        ["company", "notes", "title"],
        {},
    )


async def test_a_move_and_an_edit_never_conflict(api: Api, ana: httpx.AsyncClient) -> None:
    path, conflict = await make_conflict(api, {"phase": "won", "position": "a5"}, {"title": "edited", "position": "a3"})
    assert conflict["conflicts"] == []
    body = {
        "clientVersion": 1,
        "serverVersion": 2,
        "resolution": "merge",
        "clientData": {"phase": "won", "position": "a5"},
    }
    row = (await ana.post(f"{path}/resolve-conflict", json=body)).json()
    assert (row["title"], row["phase"], row["position"]) == ("edited", "won", "a5")


async def test_a_resolution_without_effect_makes_no_version(api: Api, ana: httpx.AsyncClient) -> None:
    path, conflict = await make_conflict(api, {"title": "mine"}, {"title": "theirs"})
    body = {"clientVersion": 1, "serverVersion": 2, "resolution": "client", "clientData": {"title": "theirs"}}
    answer = await ana.post(f"{path}/resolve-conflict", json=body)
    assert answer.json() == conflict["current"]
    assert "X-Event-Xid" not in answer.headers


VALID = {"clientVersion": 1, "serverVersion": 2, "resolution": "client", "clientData": {"title": "x"}}


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
async def test_an_invalid_resolution(api: Api, ana: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    path, _ = await make_conflict(api, {"title": "mine"}, {"title": "theirs"})
    problem(await ana.post(f"{path}/resolve-conflict", json=VALID | wrong), "invalid-input")


async def test_resolving_needs_write_permission(
    api: Api, ana: httpx.AsyncClient, diego: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    path, _ = await make_conflict(api, {"title": "mine"}, {"title": "theirs"})
    for resolution in ("client", "server", "merge"):
        body = VALID | {"resolution": resolution}
        problem(await diego.post(f"{path}/resolve-conflict", json=body), "read-only")
        problem(await stranger.post(f"{path}/resolve-conflict", json=body), "unknown-opportunity")
    move = VALID | {"clientData": {"phase": "nowhere"}}
    problem(await ana.post(f"{path}/resolve-conflict", json=move), "unknown-phase")
    move = VALID | {"clientData": {"board_id": "nowhere"}}
    problem(await ana.post(f"{path}/resolve-conflict", json=move), "unknown-board")
    content = {"Content-Type": "text/plain"}
    problem(
        await ana.post(f"{path}/resolve-conflict", content=json.dumps(VALID), headers=content), "unsupported-media-type"
    )
