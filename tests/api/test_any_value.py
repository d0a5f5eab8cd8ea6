"""The API reads, changes and restores cards with values that jsonb cannot hold, and cards whose versions are logged in part."""

from typing import LiteralString

import pytest
from psycopg.sql import SQL

from tests.api.harness import Api

# A column that an application added, a value, and what clients get for it.
VALUES: dict[str, tuple[LiteralString, LiteralString, object]] = {
    "a json that jsonb refuses": ("json", r"""'{"a": "\u0000"}'""", {"$text": r'{"a": "\u0000"}'}),
    "a json that looks like that": ("json", """'{"$text": "1"}'""", {"$text": "1"}),
    "a cast that fails": ("mood", "'cold'", {"$text": "cold"}),
    "a percent sign": ("json", r"""'"100%s \u0000"'""", {"$text": r'"100%s \u0000"'}),
    "a large text": ("text", "repeat('long ', 2000)", "long " * 2000),
    "a large jsonb": ("jsonb", "jsonb_build_object('a', repeat('long ', 2000))", {"a": "long " * 2000}),
}


@pytest.mark.parametrize(("type_", "stored", "shown"), VALUES.values(), ids=VALUES)
async def test_a_value_is_read_and_restored(
    api: Api, type_: LiteralString, stored: LiteralString, shown: object
) -> None:
    async with await api.database.connect() as conn:
        await conn.execute(
            b"""
            CREATE TYPE mood AS ENUM ('warm', 'cold');
            CREATE FUNCTION mood_json(mood mood) RETURNS json LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$;
            CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood);
            """
        )
        column = SQL("ALTER TABLE opportunities ADD COLUMN theirs {} DEFAULT {}")
        await conn.execute(column.format(SQL(type_), SQL(stored)))
        original = await (
            await conn.execute(SQL("SELECT {}::{}::text AS t").format(SQL(stored), SQL(type_)))
        ).fetchone()
        assert original is not None
    ana = await api.user("ana")
    since = (await ana.get("/api/sync/opportunities")).json()["lastSync"]
    card = await api.card(title="first")
    path = f"/api/opportunities/{card['id']}"
    assert card["theirs"] == shown
    for number, title in enumerate(("second", "third", "fourth"), 1):
        changed = await ana.patch(path, json={"title": title}, headers={"If-Match": f'"v{number}"'})
        assert changed.json()["theirs"] == shown
    for address in (
        f"/api/boards/{card['board_id']}",
        "/api/sync/opportunities",
        f"/api/sync/opportunities?since={since}",
    ):
        (row,) = [row for row in (await ana.get(address)).json()["opportunities"] if row["id"] == card["id"]]
        assert (row["title"], row["theirs"]) == ("fourth", shown)
    versions = (await ana.get(f"{path}/versions")).json()["versions"]
    assert [(each["data"]["title"], each["data"]["theirs"]) for each in versions] == [
        (title, shown) for title in ("fourth", "third", "second", "first")
    ]
    async with await api.database.connect() as conn:
        await conn.execute("UPDATE opportunities SET theirs = NULL")
    overwritten = await ana.post(f"{path}/versions/2/restore", headers={"If-Match": '"v5"'})
    assert (overwritten.status_code, overwritten.json()["title"]) == (200, "second"), overwritten.text
    assert overwritten.json()["theirs"] == shown
    assert (await ana.delete(path, headers={"If-Match": '"v6"'})).is_success
    recreated = await ana.post(f"{path}/versions/3/restore", headers={"If-Match": "*"})
    assert (recreated.is_success, recreated.json()["title"]) == (True, "third"), recreated.text
    assert recreated.json()["theirs"] == shown
    found = await api.database.execute("SELECT theirs::text AS t FROM opportunities WHERE id = %s", [card["id"]])
    assert found == [original]


async def test_edits_of_a_large_card_are_merged(api: Api) -> None:
    ana = await api.user("ana")
    card = await api.card(title="first", notes="long " * 1000)
    path = f"/api/opportunities/{card['id']}"
    assert (await ana.patch(path, json={"title": "second"}, headers={"If-Match": '"v1"'})).is_success
    assert (await ana.patch(path, json={"value": 5}, headers={"If-Match": '"v2"'})).is_success
    stale = (await ana.patch(path, json={"title": "mine", "company": "x"}, headers={"If-Match": '"v1"'})).json()
    assert stale["conflicts"] == ["title"]
    assert stale["base"]["notes"] == card["notes"]
