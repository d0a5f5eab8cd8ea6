"""Columns that an application added to opportunities may have any name: the API reads, writes and restores them."""

import pytest
from psycopg.sql import SQL, Identifier

from tests.api.harness import Api

NAMES = (
    "o",
    "c",
    "opportunities",
    "old",
    "excluded",
    "r",
    "data",
    "board",
    "key",
    "100%",
    "%s",
    "%(id)s",
    'say "x"',
    "a b",
)


@pytest.mark.parametrize("name", NAMES)
async def test_a_column_of_any_name(api: Api, name: str) -> None:
    async with await api.database.connect() as conn:
        await conn.execute(
            SQL("ALTER TABLE opportunities ADD COLUMN {} text DEFAULT 'theirs'").format(Identifier(name))
        )
    ana = await api.user("ana")
    since = (await ana.get("/api/sync/opportunities")).json()["lastSync"]
    card = await api.card(title="first")
    path = f"/api/opportunities/{card['id']}"
    assert card[name] == "theirs"
    assert (await ana.patch(path, json={"title": "second"}, headers={"If-Match": '"v1"'})).json()[name] == "theirs"
    for address in (
        f"/api/boards/{card['board_id']}",
        "/api/sync/opportunities",
        f"/api/sync/opportunities?since={since}",
    ):
        (row,) = [row for row in (await ana.get(address)).json()["opportunities"] if row["id"] == card["id"]]
        assert (row["title"], row[name]) == ("second", "theirs")
    overwritten = await ana.post(f"{path}/versions/1/restore", headers={"If-Match": '"v2"'})
    assert (overwritten.status_code, overwritten.json()["title"], overwritten.json()[name]) == (200, "first", "theirs")
    assert (await ana.delete(path, headers={"If-Match": '"v3"'})).is_success
    recreated = await ana.post(f"{path}/versions/1/restore", headers={"If-Match": "*"})
    assert recreated.is_success, recreated.text
    assert (recreated.json()["title"], recreated.json()[name]) == ("first", "theirs")
