"""The API after the application has altered its table: every request works, or reports what the table lacks."""

from typing import LiteralString

import httpx
import pytest

from tests.api.harness import Api, problem

ALTERATIONS: dict[str, LiteralString] = {
    "no versions": "ALTER TABLE opportunities DROP COLUMN version_number",
    "no board": "ALTER TABLE opportunities DROP COLUMN board_id; DELETE FROM feed.boards WHERE id = 'parcerias'",
    "no positions": "ALTER TABLE opportunities DROP COLUMN position",
    "no author": "ALTER TABLE opportunities DROP COLUMN last_modified_by, DROP COLUMN last_sync_at",
    "another name": "ALTER TABLE opportunities RENAME TO deals",
    "another key": "ALTER TABLE opportunities RENAME COLUMN id TO deal_id",
    "another board column": "ALTER TABLE opportunities RENAME COLUMN board_id TO pipeline",
    "no users": "DROP TABLE users CASCADE",
}


@pytest.mark.parametrize("name", ALTERATIONS)
async def test_cards_are_read_and_written(api: Api, ana: httpx.AsyncClient, name: str) -> None:
    await api.database.execute(ALTERATIONS[name])
    board = (await ana.get("/api/boards/vendas")).raise_for_status().json()
    card = board["opportunities"][0]
    assert card["id"]
    path = f"/api/opportunities/{card['id']}"
    read = (await ana.get(path)).raise_for_status()
    tag = read.headers["ETag"]
    assert read.json()["version_number"] == card["version_number"]

    changed = await ana.patch(path, json={"title": "Changed"}, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["title"], changed.json()["board_id"]) == ("Changed", "vendas")
    assert changed.headers["ETag"] != tag
    problem(await ana.patch(path, json={"title": "Late"}, headers={"If-Match": tag}), "stale-version")

    new = {"board_id": "vendas", "phase": card["phase"], "title": "New"}
    created = await ana.post("/api/opportunities", json=new)
    assert created.status_code == 201, created.text
    assert (await ana.get(created.headers["Location"])).raise_for_status().json()["title"] == "New"
    versions = (await ana.get(f"{path}/versions")).raise_for_status()
    assert versions.json()
    page = (await ana.get("/api/opportunities", params={"board": "vendas", "limit": 3})).raise_for_status()
    assert page.json()["next"]
    deleted = await ana.delete(created.headers["Location"], headers={"If-Match": created.headers["ETag"]})
    assert deleted.status_code == 204, deleted.text


async def test_a_field_without_a_column_is_refused_by_name(api: Api, ana: httpx.AsyncClient) -> None:
    await api.database.execute("ALTER TABLE opportunities DROP COLUMN company")
    card = (await ana.get("/api/boards/vendas")).json()["opportunities"][0]
    response = await ana.patch(
        f"/api/opportunities/{card['id']}",
        json={"company": "ACME"},
        headers={"If-Match": f'"v{card["version_number"]}"'},
    )
    problem(response, "invalid-input")
    assert "no column company" in response.json()["detail"]


async def test_without_the_table_boards_are_empty_and_writes_are_refused(api: Api, ana: httpx.AsyncClient) -> None:
    await api.database.execute("DROP TABLE opportunities CASCADE")
    assert (await ana.get("/api/boards/vendas")).raise_for_status().json()["opportunities"] == []
    new = {"board_id": "vendas", "phase": "proposal", "title": "New"}
    problem(await ana.post("/api/opportunities", json=new), "database-unavailable")
