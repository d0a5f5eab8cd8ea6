"""What a board has to hold at a cursor, and what is concluded of somebody who holds something else."""

import json
from pathlib import Path
from typing import LiteralString

from psycopg import AsyncConnection

from db.changelog.positions import read_position, read_proof
from feed.wire.cursor import Cursor
from tests.db.support import Connection, rows, value

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "checkpoint.json").read_text())
BYPASSED: LiteralString = "UPDATE opportunities SET version_number = version_number + 1 WHERE id = 'o2'"


async def here(db: Connection) -> str:
    """A cursor that can be resumed from."""
    async with await AsyncConnection.connect(db.info.dsn, password=db.info.password, autocommit=True) as conn:
        feed_id = (await read_proof(conn, 0)).feed_id
        return str(Cursor.at(feed_id, await read_position(conn)))


async def checkpoint(db: Connection, cursor: str | None = None, board: str = "b1") -> tuple[int, str]:
    (row,) = await rows(db, "SELECT count, hash FROM feed.checkpoint(%s, %s)", (board, cursor))
    return row["count"], row["hash"]


async def report(
    db: Connection, cursor: str, expected: tuple[int, str], held: tuple[int, str], user: str | None = "ana"
) -> str | None:
    said: str | None = await value(
        db,
        "SELECT feed.report_gap('feed-1', %s, 'c1', 'b1', %s, %s, %s, %s, %s)",
        (user, cursor, *expected, *held),
    )
    return said


async def past_the_triggers(db: Connection, statement: LiteralString) -> None:
    async with db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(statement)


async def deals(db: Connection, number: int = 3) -> None:
    await db.execute(
        "INSERT INTO opportunities (id, board_id, title, phase)"
        " SELECT 'o' || n, 'b1', 'Deal', 'new' FROM generate_series(2, %s) AS n",
        (number,),
    )


async def test_the_hash_is_that_of_the_others(db: Connection) -> None:
    for row in VECTORS["rows"]:
        told = await value(db, "SELECT to_hex(feed.row_hash(%s, %s::int))", (row["id"], row["version"]))
        assert told.rjust(8, "0") == row["hash"], row


async def test_a_board_is_the_sum_of_its_rows(db: Connection) -> None:
    for board in VECTORS["boards"]:
        await db.execute("TRUNCATE opportunities CASCADE")
        for row in board["rows"]:
            await db.execute(
                "INSERT INTO opportunities (id, board_id, title, phase, version_number) VALUES (%s, 'b1', '', '', %s)",
                (row["id"], row["version"]),
            )
        assert await checkpoint(db) == (board["count"], board["hash"])


async def test_at_an_earlier_cursor_it_is_what_it_was(db: Connection) -> None:
    await deals(db)
    steps: list[LiteralString] = [
        "UPDATE opportunities SET title = 'other' WHERE id = 'o1'",
        "UPDATE opportunities SET board_id = 'b2' WHERE id = 'o2'",
        "DELETE FROM opportunities WHERE id = 'o3'",
        "UPDATE opportunities SET board_id = 'b1', title = 'back' WHERE id = 'o2'",
        "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o3', 'b1', 'again', 'new')",
        "UPDATE opportunities SET phase = 'won'",
    ]
    places = [(await here(db), await checkpoint(db), await checkpoint(db, board="b2"))]
    for step in steps:
        await db.execute(step)
        places.append((await here(db), await checkpoint(db), await checkpoint(db, board="b2")))
    assert len({one for _, one, _ in places}) == len(places)
    for cursor, one, two in places:
        assert await checkpoint(db, cursor) == one
        assert await checkpoint(db, cursor, "b2") == two


async def test_what_a_client_has_lost_was_lost_in_delivery(db: Connection) -> None:
    held = await checkpoint(db)
    await db.execute("UPDATE opportunities SET title = 'unheard'")
    cursor, expected = await here(db), await checkpoint(db)
    await db.execute("UPDATE opportunities SET title = 'since then'")
    assert await report(db, cursor, expected, held) == "delivery"
    (row,) = await rows(db, "SELECT * FROM feed.gaps")
    assert (row["user_id"], row["connection"], row["instance"], row["board"]) == ("ana", "c1", "feed-1", "b1")
    assert (row["expected_count"], row["expected_hash"]) == expected
    assert (row["held_count"], row["held_hash"]) == held
    assert row["cards"] == []
    assert row["meaning"].startswith("The table and the log agree")


async def test_a_write_past_the_triggers_is_known_by_its_card(db: Connection) -> None:
    await deals(db)
    held, cursor = await checkpoint(db), await here(db)
    await past_the_triggers(db, BYPASSED)
    assert await report(db, cursor, await checkpoint(db), held) == "unlogged"
    assert await value(db, "SELECT cards FROM feed.gaps") == ["o2"]


async def test_who_lacks_what_a_service_has_found_lacks_it_for_the_same_reason(db: Connection) -> None:
    await deals(db)
    held, cursor = await checkpoint(db), await here(db)
    # No row of the log speaks of it, so it cannot be named: that it is there is known by who counts.
    await past_the_triggers(db, "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o9', 'b1', '', '')")
    expected = await checkpoint(db)
    assert await report(db, cursor, expected, held, user=None) == "unlogged"
    await db.execute("UPDATE opportunities SET title = 'both know' WHERE id = 'o1'")
    cursor = await here(db)
    later = await checkpoint(db)
    (lacking,) = await rows(
        db,
        "SELECT count - 1 AS count,"
        " lpad(to_hex((('x' || hash)::bit(32)::bigint - feed.row_hash('o9', 1)) & 4294967295), 8, '0') AS hash"
        " FROM feed.checkpoint('b1')",
    )
    assert await report(db, cursor, later, (lacking["count"], lacking["hash"])) == "unlogged"


async def test_who_was_right_is_told_so(db: Connection) -> None:
    truth, cursor = await checkpoint(db), await here(db)
    assert await report(db, cursor, (5, "00000000"), truth) == "feed"


async def test_a_cursor_of_another_feed_proves_nothing(db: Connection) -> None:
    cursor = await here(db)
    await db.execute("SELECT feed.reset_feed()")
    assert await report(db, cursor, (2, "00000002"), (1, "00000001")) == "cursor"
    assert await report(db, "what is this", (3, "00000004"), (1, "00000001"), user="bruno") == "cursor"


async def test_who_says_it_again_and_again_is_noted_once(db: Connection) -> None:
    truth, cursor = await checkpoint(db), await here(db)
    assert await report(db, cursor, (2, "00000002"), truth) == "feed"
    assert await report(db, cursor, (2, "00000003"), truth) is None
    assert await report(db, cursor, (2, "00000003"), truth, user="bruno") == "feed"
    assert await value(db, "SELECT count(*) FROM feed.gaps") == 2


async def test_reports_are_bounded_and_end_with_the_log(db: Connection) -> None:
    await db.execute(
        "INSERT INTO feed.gap_reports (instance, user_id, board, cursor,"
        " expected_count, expected_hash, held_count, held_hash, cause, cards)"
        " SELECT 'feed-1', 'u' || n, 'b1', '', 1, '00000001', 1, '00000000', 'feed', '{}' FROM generate_series(1, 600) AS n"
    )
    assert await report(db, await here(db), (2, "00000002"), (1, "00000001")) is None
    await db.execute("UPDATE feed.gap_reports SET at = at - interval '91 days' WHERE user_id <> 'u1'")
    await db.execute("SELECT feed.maintain()")
    assert await rows(db, "SELECT user_id FROM feed.gaps") == [{"user_id": "u1"}]


async def test_before_a_truncate_it_is_not_known_and_nobody_is_blamed(db: Connection) -> None:
    await deals(db)
    cursor, expected = await here(db), await checkpoint(db)
    await db.execute("TRUNCATE opportunities CASCADE")
    (unknown,) = await rows(db, "SELECT count, hash FROM feed.checkpoint('b1', %s)", (cursor,))
    assert unknown == {"count": None, "hash": None}
    assert await report(db, cursor, expected, (1, "00000000")) is None
    assert await rows(db, "SELECT * FROM feed.gaps") == []
    await deals(db)
    assert await checkpoint(db, await here(db)) == await checkpoint(db)
