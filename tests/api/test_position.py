"""Fractional index keys, compatible with the browser's library."""

import re
from pathlib import Path
from typing import LiteralString, cast

import httpx
from hypothesis import given
from hypothesis import strategies as st

from db import fractional_index
from tests.api.harness import Api

MIGRATION = (Path(__file__).parents[2] / "docs" / "migration.md").read_text()


def test_keys_are_those_of_the_original_library() -> None:
    for last, following in {
        None: "a0",
        "a0": "a1",
        "a9": "aA",
        "aZ": "aa",
        "az": "b00",
        "b0z": "b10",
        "bzz": "c000",
        "Zy": "Zz",
        "Zz": "a0",
        "Yzz": "Z0",
        "a0V": "a1",
        "Zz1": "a0",
    }.items():
        assert fractional_index.key_after(last) == following


def test_invalid_keys() -> None:
    for text in ("", "a", "0", "a00", "a0V0", "b1", "A" + "0" * 26, "a-", "é0", "a1\n", "z", "a" + "1" * 300):
        assert not fractional_index.is_valid(text)
    for text in ("a0", "a1V", "Zz", "b00", "Y00", "A" + "0" * 25 + "1"):
        assert fractional_index.is_valid(text)


def test_many_appended_keys_stay_ordered_and_short() -> None:
    keys = [fractional_index.key_after(None)]
    for _ in range(5000):
        keys.append(fractional_index.key_after(keys[-1]))
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert len(keys[-1]) == 4
    assert all(fractional_index.is_valid(key) for key in keys)


def test_there_is_a_key_after_the_largest() -> None:
    last = "z" + "z" * 26
    following = fractional_index.key_after(last)
    assert following > last
    assert fractional_index.is_valid(following)


@given(st.text(max_size=20))
def test_the_next_key_sorts_after_any_text(last: str) -> None:
    assert fractional_index.key_after(last) > last


async def test_the_documented_statement_turns_numbers_into_keys(api: Api, ana: httpx.AsyncClient) -> None:
    first, last = await api.card(phase="lost"), await api.card(phase="lost")
    async with await api.database.connect() as conn:
        await conn.execute(
            "ALTER TABLE opportunities ALTER COLUMN position DROP DEFAULT,"
            " ALTER COLUMN position TYPE integer USING 0, ALTER COLUMN position SET DEFAULT 0"
        )
        for card, number in ((first, 9), (last, 20)):
            await conn.execute("UPDATE opportunities SET position = %s WHERE id = %s", (number, card["id"]))
        (statement,) = re.findall(
            r"^    (ALTER TABLE opportunities ALTER COLUMN position.*?;)$", MIGRATION, re.MULTILINE | re.DOTALL
        )
        await conn.execute(cast(LiteralString, statement))
    created = await api.card(phase="lost")
    shown = (await ana.get(f"/api/boards/{created['board_id']}")).json()["opportunities"]
    keys = {card["id"]: card["position"] for card in shown}
    assert [keys[card["id"]] for card in (first, last, created)] == ["e00009", "e00020", "e00021"]
    assert all(fractional_index.is_valid(key) for key in keys.values())
