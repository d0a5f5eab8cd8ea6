"""Checkpoints (what a board must contain at a cursor) and the cause of a gap."""

import json
from pathlib import Path
from typing import LiteralString

import pytest
from psycopg import AsyncConnection

from db.changelog.positions import read_position, read_proof
from feed.wire.cursor import Cursor
from tests.db.support import Connection, rows, value

pytestmark = pytest.mark.any_version

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "checkpoint.json").read_text())
UNLOGGED_WRITE: LiteralString = "UPDATE opportunities SET version_number = version_number + 1 WHERE id = 'o2'"


async def current_cursor(db: Connection) -> str:
    """Return a cursor that can be resumed."""
    async with await AsyncConnection.connect(db.info.dsn, password=db.info.password, autocommit=True) as conn:
        feed_id = (await read_proof(conn, 0)).feed_id
        return str(Cursor.at(feed_id, await read_position(conn)))


async def checkpoint(db: Connection, cursor: str | None = None, board: str = "b1") -> tuple[int, str]:
    (row,) = await rows(db, "SELECT count, hash FROM feed.checkpoint(%s, %s)", (board, cursor))
    return row["count"], row["hash"]


async def report(
    db: Connection, cursor: str, expected: tuple[int, str], held: tuple[int, str], user: str | None = "ana"
) -> str | None:
    cause: str | None = await value(
        db,
        "SELECT feed.report_gap('feed-1', %s, 'c1', 'b1', %s, %s, %s, %s, %s)",
        (user, cursor, *expected, *held),
    )
    return cause


async def bypass_triggers(db: Connection, statement: LiteralString) -> None:
    async with db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(statement)


async def add_cards(db: Connection, number: int = 3) -> None:
    await db.execute(
        "INSERT INTO opportunities (id, board_id, title, phase)"
        " SELECT 'o' || n, 'b1', 'Deal', 'new' FROM generate_series(2, %s) AS n",
        (number,),
    )


async def test_the_row_hash_matches_the_vectors(db: Connection) -> None:
    for row in VECTORS["rows"]:
        hashed = await value(db, "SELECT to_hex(feed.row_hash(%s, %s::int))", (row["id"], row["version"]))
        assert hashed.rjust(8, "0") == row["hash"], row


async def test_the_board_hash_matches_the_vectors(db: Connection) -> None:
    for board in VECTORS["boards"]:
        await db.execute("TRUNCATE opportunities CASCADE")
        for row in board["rows"]:
            await db.execute(
                "INSERT INTO opportunities (id, board_id, title, phase, version_number) VALUES (%s, 'b1', '', '', %s)",
                (row["id"], row["version"]),
            )
        assert await checkpoint(db) == (board["count"], board["hash"])


async def test_a_checkpoint_at_an_earlier_cursor(db: Connection) -> None:
    await add_cards(db)
    steps: list[LiteralString] = [
        "UPDATE opportunities SET title = 'other' WHERE id = 'o1'",
        "UPDATE opportunities SET board_id = 'b2' WHERE id = 'o2'",
        "DELETE FROM opportunities WHERE id = 'o3'",
        "UPDATE opportunities SET board_id = 'b1', title = 'back' WHERE id = 'o2'",
        "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o3', 'b1', 'again', 'new')",
        "UPDATE opportunities SET phase = 'won'",
    ]
    snapshots = [(await current_cursor(db), await checkpoint(db), await checkpoint(db, board="b2"))]
    for step in steps:
        await db.execute(step)
        snapshots.append((await current_cursor(db), await checkpoint(db), await checkpoint(db, board="b2")))
    assert len({one for _, one, _ in snapshots}) == len(snapshots)
    for cursor, one, two in snapshots:
        assert await checkpoint(db, cursor) == one
        assert await checkpoint(db, cursor, "b2") == two


async def test_a_change_that_only_the_client_lacks_was_lost_in_delivery(db: Connection) -> None:
    held = await checkpoint(db)
    await db.execute("UPDATE opportunities SET title = 'undelivered'")
    cursor, expected = await current_cursor(db), await checkpoint(db)
    await db.execute("UPDATE opportunities SET title = 'since then'")
    assert await report(db, cursor, expected, held) == "delivery"
    (row,) = await rows(db, "SELECT * FROM feed.gaps")
    assert (row["user_id"], row["connection"], row["instance"], row["board"]) == ("ana", "c1", "feed-1", "b1")
    assert (row["expected_count"], row["expected_hash"]) == expected
    assert (row["held_count"], row["held_hash"]) == held
    assert row["cards"] == []
    assert row["meaning"].startswith("The table and the log agree")


async def test_a_write_that_bypassed_the_triggers_is_reported_with_its_card(db: Connection) -> None:
    await add_cards(db)
    held, cursor = await checkpoint(db), await current_cursor(db)
    await bypass_triggers(db, UNLOGGED_WRITE)
    assert await report(db, cursor, await checkpoint(db), held) == "unlogged"
    assert await value(db, "SELECT cards FROM feed.gaps") == ["o2"]


async def test_a_client_that_lacks_a_known_unlogged_row_gets_the_same_cause(db: Connection) -> None:
    await add_cards(db)
    held, cursor = await checkpoint(db), await current_cursor(db)
    # The log has no row for this card, so it cannot be named; only the count shows it.
    await bypass_triggers(db, "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o9', 'b1', '', '')")
    expected = await checkpoint(db)
    assert await report(db, cursor, expected, held, user=None) == "unlogged"
    await db.execute("UPDATE opportunities SET title = 'both know' WHERE id = 'o1'")
    cursor = await current_cursor(db)
    later = await checkpoint(db)
    (lacking,) = await rows(
        db,
        "SELECT count - 1 AS count,"
        " lpad(to_hex((('x' || hash)::bit(32)::bigint - feed.row_hash('o9', 1)) & 4294967295), 8, '0') AS hash"
        " FROM feed.checkpoint('b1')",
    )
    assert await report(db, cursor, later, (lacking["count"], lacking["hash"])) == "unlogged"


async def test_a_client_that_matches_the_table_blames_the_feed(db: Connection) -> None:
    actual, cursor = await checkpoint(db), await current_cursor(db)
    assert await report(db, cursor, (5, "00000000"), actual) == "feed"


async def test_a_cursor_of_another_feed_proves_nothing(db: Connection) -> None:
    cursor = await current_cursor(db)
    await db.execute("SELECT feed.reset_feed()")
    assert await report(db, cursor, (2, "00000002"), (1, "00000001")) == "cursor"
    assert await report(db, "what is this", (3, "00000004"), (1, "00000001"), user="bruno") == "cursor"


async def test_repeated_reports_of_a_user_are_recorded_once(db: Connection) -> None:
    actual, cursor = await checkpoint(db), await current_cursor(db)
    assert await report(db, cursor, (2, "00000002"), actual) == "feed"
    assert await report(db, cursor, (2, "00000003"), actual) is None
    assert await report(db, cursor, (2, "00000003"), actual, user="bruno") == "feed"
    assert await value(db, "SELECT count(*) FROM feed.gaps") == 2


async def test_reports_are_bounded_and_expire_with_the_retention(db: Connection) -> None:
    await db.execute(
        "INSERT INTO feed.gap_reports (instance, user_id, board, cursor,"
        " expected_count, expected_hash, held_count, held_hash, cause, cards)"
        " SELECT 'feed-1', 'u' || n, 'b1', '', 1, '00000001', 1, '00000000', 'feed', '{}' FROM generate_series(1, 600) AS n"
    )
    assert await report(db, await current_cursor(db), (2, "00000002"), (1, "00000001")) is None
    await db.execute("UPDATE feed.gap_reports SET at = at - interval '91 days' WHERE user_id <> 'u1'")
    await db.execute("SELECT feed.maintain()")
    assert await rows(db, "SELECT user_id FROM feed.gaps") == [{"user_id": "u1"}]


async def test_before_a_truncate_the_checkpoint_is_unknown_and_no_gap_is_reported(db: Connection) -> None:
    await add_cards(db)
    cursor, expected = await current_cursor(db), await checkpoint(db)
    await db.execute("TRUNCATE opportunities CASCADE")
    (unknown,) = await rows(db, "SELECT count, hash FROM feed.checkpoint('b1', %s)", (cursor,))
    assert unknown == {"count": None, "hash": None}
    assert await report(db, cursor, expected, (1, "00000000")) is None
    assert await rows(db, "SELECT * FROM feed.gaps") == []
    await add_cards(db)
    assert await checkpoint(db, await current_cursor(db)) == await checkpoint(db)
