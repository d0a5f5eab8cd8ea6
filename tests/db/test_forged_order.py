"""A writer can set feed.open, in which the triggers note the statements that run: the worst is a wrong order of its own changes.

What it changed in a transaction can be logged in another order within that transaction. Nothing else is affected, no write fails,
and verify finds it.
"""

from typing import Any

import pytest

from db.changelog import verify
from tests.db.support import Connection
from tests.db.verifying import Plain, fed_table, find_drift
from tests.support.database import Database
from tests.support.fold import delivered_log, fold

pytestmark = pytest.mark.any_version

FORGED = [
    *(
        ":0",
        "|:0",
        "|",
        ":",
        "|0U:0",
        ":999999999999999999",
        ":" + "9" * 30,
        ":-1",
        "|:0|:0|:0",
        "{1,2}",
        "'",
        "\\1",
        "|(",
        "x",
    ),
    *("|" * 10_000, ":0" * 10_000),
]
LOG = "SELECT seq, xid::text, key, op, new ->> 'title' AS title FROM feed.log WHERE relation = 'opportunities' ORDER BY seq"


async def write(database: Database, forged: str) -> None:
    """Three changes of o1 between the statements of another transaction, which changes o2."""
    async with await database.connect(autocommit=False) as other, await database.connect(autocommit=False) as writer:
        await other.execute("UPDATE opportunities SET title = 'other 1' WHERE id = 'o2'")
        for title in ("A", "B", "C"):
            await writer.execute("SELECT set_config('feed.open', %s, true)", [forged])
            await writer.execute("UPDATE opportunities SET title = %s WHERE id = 'o1'", [title])
            await other.execute("UPDATE opportunities SET title = 'beside ' || %s WHERE id = 'o2'", [title])
        await writer.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o3', 'b1', 'new')")
        await writer.commit()
        await other.commit()


async def log_of(database: Database, *keys: str) -> list[dict[str, Any]]:
    return [row for row in await delivered_log(database, "opportunities") if row["key"] in keys]


@pytest.fixture
async def board(database: Database, db: Connection) -> Database:
    await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o2', 'b1', '')")
    return database


async def test_no_write_fails_and_no_other_transaction_is_affected(board: Database) -> None:
    for forged in FORGED:
        (before,) = await board.execute("SELECT coalesce(max(seq), 0) AS seq FROM feed.log")
        await write(board, forged)
        added = [row for row in await board.execute(LOG) if row["seq"] > before["seq"]]
        others = [row["title"] for row in added if row["key"] == "o2"]
        assert others == ["other 1", "beside A", "beside B", "beside C"], forged[:20]
        assert sorted(row["title"] for row in added if row["key"] != "o2") == ["A", "B", "C", "new"], forged[:20]
        fold(await log_of(board, "o2"))
        await board.execute("DELETE FROM opportunities WHERE id = 'o3'")
    assert await board.execute("SELECT coalesce(current_setting('feed.open', true), '') AS open") == [{"open": ""}]


async def test_the_worst_is_the_order_of_its_own_changes_and_verify_finds_and_repairs_it(
    board: Database, conn: Plain
) -> None:
    await write(board, ":0")
    with pytest.raises(AssertionError, match="does not follow"):
        fold(await log_of(board, "o1"))
    assert {(one.what, one.key) for one in await find_drift(conn)} == {("changed", "o1"), ("hole", "o1")}
    assert await verify.repair(conn, await fed_table(conn), ["o1"]) == 1
    (row,) = await board.execute("SELECT to_jsonb(o) AS row FROM opportunities AS o WHERE id = 'o1'")
    assert (await log_of(board, "o1"))[-1]["new"]["title"] == row["row"]["title"] == "C"
    assert {one.what for one in await find_drift(conn)} == {"hole"}, "what was logged in a wrong order stays known"
