"""Sessions with standard_conforming_strings off, which old applications still use: everything works the same."""

from tests.db.support import Connection, rows, value
from tests.db.verifying import Plain, bypass_triggers, find_drift


async def test_capture_and_verify_work_with_nonstandard_strings(db: Connection, conn: Plain) -> None:
    for session in (db, conn):
        await session.execute("SET standard_conforming_strings = off")
    await db.execute('CREATE TABLE "a\\b" (id text PRIMARY KEY, "c\\d" text, secret text)')
    await db.execute("SELECT feed.attach('\"a\\\\b\"', board => 'c\\\\d', exclude => '{secret}')")
    (row,) = await rows(
        db,
        "SELECT DISTINCT key, board, excluded FROM feed.triggers"
        " WHERE function = 'capture' AND relation = '\"a\\\\b\"'::regclass",
    )
    assert row == {"key": ["id"], "board": "c\\d", "excluded": ["secret"]}
    await db.execute('INSERT INTO "a\\b" SELECT %s || n, %s FROM generate_series(1, 5) AS n', ("x\\'", "b\\1"))
    assert await find_drift(conn, '"a\\b"') == []
    async with bypass_triggers(db):
        await db.execute('UPDATE "a\\b" SET "c\\d" = NULL WHERE id = %s', ("x\\'3",))
    assert [one.key for one in await find_drift(conn, '"a\\b"')] == ["x\\'3"]


async def test_cursors_and_partitions_work_with_nonstandard_strings(db: Connection) -> None:
    await db.execute("SET standard_conforming_strings = off")
    assert await value(db, "SELECT (feed.parse_cursor('0a1.7x7..1.00000000')).feed_id") is None
    await value(db, "SELECT feed.rotate_partition()")
    await value(db, "SELECT feed.make_partition(feed.current_partition() + 1)")
    await db.execute("UPDATE opportunities SET title = 'Kept'")
    (dropped,) = await rows(db, "SELECT * FROM feed.prune(clock_timestamp())")
    assert dropped["partition"] == "feed.log_1"
