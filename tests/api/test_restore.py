"""Restoring a version of a card: over the current one, or after a delete."""

import asyncio
from typing import Any

import httpx

from db.opportunity_details import FIELDS
from tests.api.harness import Api, problem


async def edited(api: Api, **fields: Any) -> tuple[str, dict[str, Any]]:
    """Create a card with three versions; return its path and the first version."""
    card = await api.card(value=1234.5, notes="first", company="Old Ltd", **fields)
    path = f"/api/opportunities/{card['id']}"
    ana = await api.user("ana")
    for number, change in enumerate(({"title": "second", "company": None}, {"phase": "won", "value": None}), 1):
        assert (await ana.patch(path, json=change, headers={"If-Match": f'"v{number}"'})).is_success
    return path, card


def content(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what each version or the details of a card have of their own."""
    own = {"version_number", "last_modified_by", "last_sync_at", "closed_at", "details_version"}
    return {name: value for name, value in row.items() if name not in own | FIELDS}


async def test_an_old_version_becomes_a_new_one(api: Api) -> None:
    path, first = await edited(api)
    bruno = await api.user("bruno")
    answer = await bruno.post(f"{path}/versions/1/restore", headers={"If-Match": '"v3"', "X-Mutation-Id": "back"})
    row = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"v4"')
    assert content(row) == content(first)
    assert (row["version_number"], row["last_modified_by"]) == (4, "bruno")
    newest = (await bruno.get(f"{path}/versions")).json()["versions"][0]
    assert (newest["version_number"], newest["parents"], newest["created_by"]) == (4, [1], "bruno")
    (change,) = await api.database.execute(
        "SELECT xid::text, origin FROM feed.log WHERE key = %s AND version = 4", [row["id"]]
    )
    assert change == {"xid": answer.headers["X-Event-Xid"], "origin": "back"}


async def test_restoring_needs_the_current_version(api: Api, ana: httpx.AsyncClient) -> None:
    path, _ = await edited(api)
    problem(await ana.post(f"{path}/versions/1/restore"), "if-match-required")
    problem(await ana.post(f"{path}/versions/1/restore", headers={"If-Match": "3"}), "invalid-if-match")
    stale = problem(await ana.post(f"{path}/versions/1/restore", headers={"If-Match": '"v2"'}), "stale-version")
    assert stale["current"]["version_number"] == 3
    assert stale["conflicts"] == ["phase", "value"]
    problem(await ana.post(f"{path}/versions/4/restore", headers={"If-Match": "*"}), "unknown-version")
    problem(await ana.post(f"{path}/versions/{10**15}/restore", headers={"If-Match": "*"}), "unknown-version")
    problem(await ana.post(f"{path}/versions/{10**30}/restore", headers={"If-Match": "*"}), "not-found")
    problem(await ana.post("/api/opportunities/nope/versions/1/restore", headers={"If-Match": "*"}), "unknown-version")


async def test_restoring_the_current_version_makes_no_version(api: Api, ana: httpx.AsyncClient) -> None:
    path, _ = await edited(api)
    answer = await ana.post(f"{path}/versions/3/restore", headers={"If-Match": "*"})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"v3"')
    assert "X-Event-Xid" not in answer.headers


async def test_a_restored_card_continues_its_version_numbers(api: Api, ana: httpx.AsyncClient) -> None:
    path, first = await edited(api)
    last = (await ana.get(path)).json()
    assert (await ana.delete(path, headers={"If-Match": '"v3"'})).status_code == 204
    answer = await ana.post(f"{path}/versions/3/restore")
    row = answer.json()
    assert (answer.status_code, answer.headers["ETag"], answer.headers["Location"]) == (201, '"v4"', path)
    assert content(row) == content(last)
    assert row["last_sync_at"] > last["last_sync_at"]
    assert (await ana.get(path)).json() == row
    history = (await ana.get(f"{path}/versions")).json()["versions"]
    assert [(v["version_number"], v["parents"]) for v in history] == [(4, [3]), (3, None), (2, None), (1, None)]
    assert (await ana.patch(path, json={"title": "on"}, headers={"If-Match": '"v4"'})).json()["version_number"] == 5
    assert (await ana.delete(path, headers={"If-Match": "*"})).status_code == 204
    assert (await ana.post(f"{path}/versions/1/restore")).json()["version_number"] == 6
    assert content((await ana.get(path)).json()) == content(first)


async def test_one_of_many_concurrent_restores_succeeds(api: Api, ana: httpx.AsyncClient) -> None:
    path, _ = await edited(api)
    assert (await ana.delete(path, headers={"If-Match": "*"})).status_code == 204
    clients = [await api.user(name) for name in ("ana", "bruno", "carla")]
    answers = await asyncio.gather(*(client.post(f"{path}/versions/2/restore") for client in clients))
    # A later request finds the card again and has no If-Match, or loses the race for the id.
    assert min(answer.status_code for answer in answers) == 201
    assert {answer.status_code for answer in answers} <= {201, 409, 428}
    assert (await ana.get(path)).json()["version_number"] == 4


async def test_restoring_works_if_the_phase_was_removed(api: Api, ana: httpx.AsyncClient) -> None:
    path, _ = await edited(api)
    await api.database.execute(
        "UPDATE feed.boards SET phases = (SELECT jsonb_agg(p) FROM jsonb_array_elements(phases) AS p "
        "WHERE p ->> 'id' <> 'proposal') WHERE id = 'vendas'"
    )
    now = (await ana.get(path)).json()
    row = (await ana.post(f"{path}/versions/1/restore", headers={"If-Match": "*"})).json()
    assert (row["phase"], row["position"], row["notes"]) == (now["phase"], now["position"], "first")
    assert (await ana.delete(path, headers={"If-Match": "*"})).status_code == 204
    assert (await ana.post(f"{path}/versions/1/restore")).json()["phase"] == "prospecting"


async def test_columns_of_an_application_are_restored(api: Api, ana: httpx.AsyncClient) -> None:
    await api.database.execute(
        'ALTER TABLE opportunities ADD COLUMN amount numeric, ADD COLUMN extra json, ADD COLUMN "Mixed" text[], '
        "ADD COLUMN upper_title text GENERATED ALWAYS AS (upper(title)) STORED"
    )
    card = await api.card(title="deal")
    path = f"/api/opportunities/{card['id']}"
    amount = "123456789012345678901234567890.123456789"
    await api.database.execute(
        """UPDATE opportunities SET amount = %s::numeric, extra = '{"a":  1}', "Mixed" = '{x,"y z"}' WHERE id = %s""",
        [amount, card["id"]],
    )
    await api.database.execute(
        'UPDATE opportunities SET amount = amount + 1, "Mixed" = NULL WHERE id = %s', [card["id"]]
    )
    assert (await ana.post(f"{path}/versions/2/restore", headers={"If-Match": "*"})).status_code == 200
    stored = 'SELECT amount::text, extra, "Mixed" AS mixed, upper_title FROM opportunities WHERE id = %s'
    expected = {"amount": amount, "extra": {"a": 1}, "mixed": ["x", "y z"], "upper_title": "DEAL"}
    assert await api.database.execute(stored, [card["id"]]) == [expected]
    assert (await ana.delete(path, headers={"If-Match": "*"})).status_code == 204
    assert (await ana.post(f"{path}/versions/2/restore")).status_code == 201
    assert await api.database.execute(stored, [card["id"]]) == [expected]


async def test_restoring_needs_write_permission(
    api: Api, ana: httpx.AsyncClient, diego: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    path, _ = await edited(api)
    any_version = {"If-Match": "*"}
    problem(await diego.post(f"{path}/versions/1/restore", headers=any_version), "read-only")
    problem(await stranger.post(f"{path}/versions/1/restore", headers=any_version), "unknown-version")
    assert (await ana.delete(path, headers=any_version)).status_code == 204
    problem(await diego.post(f"{path}/versions/1/restore"), "read-only")
    problem(await stranger.post(f"{path}/versions/1/restore"), "unknown-version")


async def test_a_card_on_an_invisible_board_is_not_created_twice(api: Api) -> None:
    path, _ = await edited(api)
    await api.database.execute("DELETE FROM feed.board_members WHERE user_id = 'bruno' AND board_id = 'parcerias'")
    ana, bruno = await api.user("ana"), await api.user("bruno")
    assert (await ana.patch(path, json={"board_id": "parcerias"}, headers={"If-Match": "*"})).is_success
    problem(await bruno.post(f"{path}/versions/1/restore"), "conflict")
    row = (await ana.post(f"{path}/versions/1/restore", headers={"If-Match": "*"})).json()
    assert (row["board_id"], row["notes"]) == ("parcerias", "first")
