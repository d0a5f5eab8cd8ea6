"""The parents of a version are recorded for the transaction that declares them, and for no other."""

from typing import LiteralString

import pytest

from tests.db.support import Connection, log_rows, newest_seq, rows, sqlstate_of, value

pytestmark = pytest.mark.any_version

PARENTS = "SELECT set_config('feed.parents', '{1,3}', true)"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE opportunities SET title = 'B'",
        "UPDATE opportunities SET board_id = 'b2'",
        "INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b1'), ('o3', 'b1')",
        "INSERT INTO opportunities (id, board_id) VALUES ('o1', 'b1') ON CONFLICT (id) DO UPDATE SET title = 'C'",
        "WITH made AS (INSERT INTO opportunities (id, board_id) VALUES ('o4', 'b1')) UPDATE opportunities SET title = 'D'",
    ],
)
async def test_every_row_of_the_transaction_has_the_parents(db: Connection, statement: LiteralString) -> None:
    before = await newest_seq(db)
    async with db.transaction():
        await db.execute(PARENTS)
        await db.execute(statement)
    found = await log_rows(db, before)
    assert found
    assert {tuple(row["parents"]) for row in found} == {(1, 3)}


async def test_all_rows_of_one_update_have_the_parents(db: Connection) -> None:
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b1')")
    before = await newest_seq(db)
    async with db.transaction():
        await db.execute(PARENTS)
        await db.execute("UPDATE opportunities SET title = 'B', board_id = 'b2'")
    found = await log_rows(db, before)
    assert [row["op"] for row in found] == ["leave", "enter"] * 2
    assert {tuple(row["parents"]) for row in found} == {(1, 3)}


async def test_parents_apply_to_one_transaction_and_deletions_have_none(db: Connection) -> None:
    async with db.transaction():
        await db.execute(PARENTS)
        await db.execute("UPDATE opportunities SET title = 'B'")
    await db.execute("UPDATE opportunities SET title = 'C'")
    async with db.transaction():
        await db.execute(PARENTS)
        await db.execute("DELETE FROM opportunities")
    history = await rows(db, "SELECT version_number, parents FROM opportunity_versions ORDER BY version_number")
    assert [tuple(row.values()) for row in history] == [(1, None), (2, [1, 3]), (3, None)]
    assert await value(db, "SELECT parents FROM feed.log WHERE op = 'delete' AND key = 'o1'") is None


async def test_invalid_parents_fail_the_write(db: Connection) -> None:
    async with db.transaction():
        await db.execute("SELECT set_config('feed.parents', 'nonsense', true)")
        assert await sqlstate_of(db, "UPDATE opportunities SET title = 'B'") == "22P02"
    assert await value(db, "SELECT version_number FROM opportunities") == 1
