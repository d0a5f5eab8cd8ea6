"""The log is sealed while it is written, and nothing that happens to an honest log breaks a seal."""

import asyncio
import random
from functools import partial
from itertools import count
from typing import Any, LiteralString

import psycopg
import pytest

from db import catalog, schema_repair
from db.changelog.seals import verify_seals
from tests.db.sealing import UNSEALED, broken, newest_hash, pruned, run, seal_all, seal_steps, switch_on
from tests.db.support import Connection, log_rows, newest_seq, rows, value
from tests.db.verifying import Plain
from tests.support.database import Database
from tests.support.until import until

SEALED: LiteralString = "SELECT coalesce(sum(changes), 0) FROM feed.seals"


async def write(db: Connection, title: str) -> None:
    await db.execute("UPDATE opportunities SET title = %s WHERE id = 'o1'", (title,))


async def test_nothing_is_sealed_unless_it_is_switched_on(db: Connection, conn: Plain) -> None:
    assert not await value(db, "SELECT feed.seal()")
    assert await rows(db, "SELECT FROM feed.seals") == []
    (end,) = [part async for part in verify_seals(conn, part=10)]
    assert (end.seals, end.number, end.hash) == (0, None, None)


async def test_the_log_is_sealed_from_its_first_row(db: Connection, conn: Plain) -> None:
    before = await newest_seq(db)
    await switch_on(db)
    await switch_on(db)
    assert [(row["relation"], row["op"]) for row in await log_rows(db, before)] == [("feed.flags", "insert")]
    await seal_all(db)
    assert await value(db, SEALED) == await value(db, "SELECT count(*) FROM feed.log")
    assert await broken(conn) == []


async def test_switched_on_again_it_continues_where_it_stopped(db: Connection, conn: Plain) -> None:
    await switch_on(db)
    await seal_all(db)
    await db.execute("SELECT feed.set_seal(false)")
    await write(db, "B")
    assert not await value(db, "SELECT feed.seal()")
    assert await value(db, UNSEALED) == 2
    assert await broken(conn) == []
    await switch_on(db)
    await seal_all(db)
    assert await value(db, SEALED) == await value(db, "SELECT count(*) FROM feed.log")
    assert await broken(conn) == []


async def test_each_hash_covers_the_one_before(db: Connection) -> None:
    """Each hash is that of one line of text, whose first word is the hash before."""
    await switch_on(db)
    await seal_all(db, size=1)
    chain = await rows(
        db,
        """
        SELECT hash, encode(sha256(convert_to(line, 'UTF8')), 'hex') AS expected
        FROM (SELECT s.hash, concat(lag(hash) OVER (ORDER BY number), ' ', number, ' ', partition_number, ' ', xid, ' ',
                                    part_seq, ' ', part_end, ' ', changes, ' ', first_seq, ' ', last_seq, ' ',
                                    extract(epoch FROM sealed_at), ' ', rows_hash) AS line
              FROM feed.seals AS s) AS lines
        """,
    )
    assert len(chain) > 2
    assert all(row["hash"] == row["expected"] for row in chain)


@pytest.mark.any_version
async def test_sealing_waits_for_the_oldest_transaction(db: Connection, conn: Plain, database: Database) -> None:
    await switch_on(db)
    await seal_all(db)
    async with await database.connect(autocommit=False) as early:
        await early.execute("INSERT INTO opportunities (id, board_id) VALUES ('early', 'b1')")
        await write(db, "committed first")
        await seal_steps(db)
        assert await value(db, UNSEALED) == 1
        await early.execute("INSERT INTO opportunities (id, board_id) VALUES ('early 2', 'b1')")
        await early.commit()
    await seal_all(db)
    assert await broken(conn) == []
    assert await value(db, SEALED) == await value(db, "SELECT count(*) FROM feed.log")


@pytest.mark.any_version
async def test_sealing_waits_for_a_transaction_that_spans_partitions(
    db: Connection, conn: Plain, database: Database
) -> None:
    await switch_on(db)
    connect = partial(database.connect, autocommit=False)
    async with await connect() as earliest, await connect() as early:
        await earliest.execute("SELECT pg_current_xact_id()")
        await early.execute("INSERT INTO opportunities (id, board_id) VALUES ('early', 'b1')")
        await db.execute("SELECT feed.rotate_partition(), feed.maintain()")
        await earliest.execute("INSERT INTO opportunities (id, board_id) VALUES ('earliest', 'b1')")
        await earliest.commit()
        await seal_steps(db)
        assert await value(db, "SELECT max(partition_number) FROM feed.seals") == 1
        await early.execute("INSERT INTO opportunities (id, board_id) VALUES ('early 2', 'b1')")
        await early.commit()
    await seal_all(db)
    assert await value(db, "SELECT max(partition_number) FROM feed.seals") == 2
    assert await broken(conn) == []


async def test_what_applications_do_breaks_no_seal(db: Connection, conn: Plain) -> None:
    await switch_on(db)
    changes: tuple[LiteralString, ...] = (
        "CREATE TABLE tasks (id int PRIMARY KEY, board_id text, name text, notes text)",
        "SELECT feed.attach('tasks', board => 'board_id')",
        "INSERT INTO tasks SELECT i, 'b1', 'Task', repeat('long', 1000) FROM generate_series(1, 10) AS i",
        "UPDATE tasks SET name = 'x' WHERE id < 5",
        "DO $$ BEGIN UPDATE tasks SET name = 'y'; BEGIN DELETE FROM tasks; RAISE 'x'; EXCEPTION WHEN others THEN NULL; END; END $$",
        "DO $$ BEGIN BEGIN UPDATE tasks SET name = 'z'; RAISE 'x'; EXCEPTION WHEN others THEN NULL; END; END $$",
        "SELECT nextval('feed.log_seq')",
        """
        CREATE FUNCTION nest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE tasks SET notes = 'nested' WHERE id = NEW.id AND notes IS DISTINCT FROM 'nested';
            RETURN NULL;
        END $$
        """,
        "CREATE TRIGGER nest AFTER UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION nest()",
        "UPDATE tasks SET name = 'nested'",
        "WITH gone AS (DELETE FROM tasks RETURNING *) INSERT INTO tasks SELECT * FROM gone",
        "UPDATE tasks SET board_id = 'b2'",
        "ALTER TABLE tasks RENAME name TO title",
        "TRUNCATE tasks",
        "SELECT feed.repair('tasks', ARRAY(SELECT id::text FROM tasks))",
        "SELECT feed.reset_feed()",
    )
    for change in changes:
        await db.execute(change)
        await seal_steps(db)
        assert await broken(conn) == [], change
    await seal_all(db)
    assert await value(db, SEALED) == await value(db, "SELECT count(*) FROM feed.log")


@pytest.mark.any_version
async def test_concurrent_writers_and_sealers(db: Connection, conn: Plain, database: Database) -> None:
    """Writers commit out of order, some roll back, partitions change, and two sessions seal."""
    await switch_on(db)
    writing = True

    async def write_at_random(seed: int) -> None:
        chance = random.Random(seed)
        async with await database.connect(autocommit=False) as writer:
            for turn in range(40):
                for step in range(chance.randint(1, 4)):
                    await writer.execute(
                        "INSERT INTO opportunities (id, board_id) VALUES (%s, 'b1')", (f"{seed}-{turn}-{step}",)
                    )
                if chance.random() < 0.2:
                    await writer.rollback()
                else:
                    await writer.commit()

    async def maintain(seed: int) -> None:
        async with await database.connect() as sealer:
            for turn in count():
                if not writing:
                    return
                await sealer.execute("SELECT feed.seal(%s)", (seed + 3,))
                if seed == 0 and turn % 20 == 0:
                    await sealer.execute("SELECT feed.rotate_partition(), feed.maintain()")

    sealers = [asyncio.create_task(maintain(seed)) for seed in range(2)]
    writers = [asyncio.create_task(write_at_random(seed)) for seed in range(4)]
    while not all(task.done() for task in writers):
        assert await broken(conn, part=50) == []
    writing = False
    await asyncio.gather(*sealers, *writers)
    await seal_all(db)
    assert await broken(conn) == []
    assert await value(db, SEALED) == await value(db, "SELECT count(*) FROM feed.log")


@pytest.mark.any_version
async def test_one_session_seals_at_a_time(db: Connection, conn: Plain, database: Database) -> None:
    await switch_on(db)
    async with await database.connect(autocommit=False) as first:
        assert await value(first, "SELECT feed.seal(1)")
        assert not await value(db, "SELECT feed.seal(1)")
        await first.commit()
    assert await value(db, "SELECT count(*) FROM feed.seals") == 1
    await seal_all(db)
    assert await broken(conn) == []


@pytest.mark.any_version
async def test_a_large_transaction_has_several_seals(db: Connection, conn: Plain) -> None:
    await switch_on(db)
    await seal_all(db)
    before = await value(db, "SELECT max(number) FROM feed.seals")
    await db.execute("INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 50) AS n")
    await write(db, "after it")
    await seal_all(db, size=7)
    seals = await rows(db, "SELECT * FROM feed.seals WHERE number > %s ORDER BY number", (before,))
    assert [seal["changes"] for seal in seals] == [7, 7, 7, 7, 7, 7, 7, 1, 1]
    assert [seal["part_seq"] is not None for seal in seals] == [True] * 7 + [False] * 2
    assert await broken(conn) == []


@pytest.mark.any_version
async def test_large_rows_fill_a_seal_sooner(db: Connection, conn: Plain) -> None:
    await switch_on(db)
    await seal_all(db)
    before = await value(db, "SELECT max(number) FROM feed.seals")
    await db.execute("ALTER TABLE opportunities ALTER notes SET STORAGE EXTERNAL")
    large = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 100000) AS i)"
    await db.execute(
        f"INSERT INTO opportunities (id, board_id, notes) SELECT 'n' || n, 'b1', {large} FROM generate_series(1, 5) AS n".encode()  # noqa: S608
    )
    await seal_all(db, size=1000)
    found = await rows(db, "SELECT changes FROM feed.seals WHERE number > %s ORDER BY number", (before,))
    assert sum(row["changes"] for row in found) == 5
    assert len(found) > 1
    assert await broken(conn) == []


@pytest.mark.parametrize("lag", [0, 2])
async def test_a_pruned_log_breaks_no_seal(db: Connection, conn: Plain, lag: int) -> None:
    """Whether sealing has caught up when a partition is dropped, or not."""
    await switch_on(db)
    for title in "BCDEF":
        await write(db, title)
        await db.execute("SELECT feed.rotate_partition(), feed.maintain()")
    if lag:
        await db.execute("SELECT feed.seal(%s)", (lag,))
    else:
        await seal_all(db)
    made, last = await value(db, "SELECT count(*) FROM feed.seals"), await newest_hash(db)
    while await value(db, "SELECT (feed.prune(now() + interval '1 day')).partition"):
        assert await broken(conn) == []
    assert await pruned(conn) == made
    await seal_all(db)
    await write(db, "G")
    await seal_all(db)
    # The newest row of a pruned log is kept, and sealed once more in its new partition.
    assert await value(db, "SELECT sum(changes) FROM feed.seals WHERE number > %s", (made,)) == 2
    assert await broken(conn) == []
    assert await value(db, "SELECT EXISTS (SELECT FROM feed.seals WHERE hash = %s)", (last,))


async def test_a_new_cluster_continues_the_chain(db: Connection, conn: Plain) -> None:
    """A dump was restored into another cluster, whose transaction IDs are lower."""
    await switch_on(db)
    await db.execute("UPDATE feed.log SET xid = (xid::text::bigint + 1000000)::text::xid8")
    await db.execute("UPDATE feed.identity SET system_identifier = 'another'")
    await db.execute("SELECT feed.identify()")
    await db.execute("SELECT feed.maintain()")
    await write(db, "here")
    await seal_all(db)
    assert await value(db, SEALED) == await value(db, "SELECT count(*) FROM feed.log")
    assert await value(db, "SELECT count(DISTINCT partition_number) FROM feed.seals") == 2
    assert await broken(conn) == []


SETTINGS: tuple[LiteralString, ...] = (
    "SET datestyle = 'German'",
    "SET timezone = 'America/Sao_Paulo'",
    "SET intervalstyle = 'sql_standard'",
    "SET bytea_output = 'escape'",
    "SET extra_float_digits = -15",
    "SET lc_monetary = 'C'",
    "SET client_encoding = 'LATIN1'",
    "SET quote_all_identifiers = on",
    "SET search_path = pg_temp",
    "SET standard_conforming_strings = off",
    "SET enable_indexscan = off",
    "SET transform_null_equals = on",
    "SET xmloption = 'document'",
)


async def test_settings_of_the_session_do_not_matter(db: Connection, conn: Plain) -> None:
    await switch_on(db)
    await db.execute("UPDATE opportunities SET title = E'ação \\\\ ''x''', value = 1.10 WHERE id = 'o1'")
    await seal_all(db)
    for setting in SETTINGS:
        await conn.execute(setting)
        assert await broken(conn) == [], setting
    await run(db, SETTINGS)
    await db.execute("UPDATE public.opportunities SET title = 'another' WHERE id = 'o1'")
    await seal_all(db)
    async with await psycopg.AsyncConnection.connect(db.info.dsn, password=db.info.password, autocommit=True) as fresh:
        assert await broken(fresh) == []


async def test_lost_seals_begin_anew(db: Connection, conn: Plain) -> None:
    await switch_on(db)
    await seal_all(db)
    await db.execute("DROP TABLE feed.seals CASCADE")
    await schema_repair.repair(conn)
    assert await catalog.faults(conn) == []
    assert await broken(conn) == []
    await seal_all(db)
    assert await value(db, "SELECT min(number) FROM feed.seals") == 1
    assert await broken(conn) == []


async def test_a_lost_log_is_reported_until_the_seals_are_removed(db: Connection, conn: Plain) -> None:
    await switch_on(db)
    await seal_all(db)
    await db.execute("DROP TABLE feed.log CASCADE")
    await schema_repair.repair(conn)
    assert {column for seal in await broken(conn) for column in seal.columns} == {"rows"}
    await db.execute("TRUNCATE feed.seals")
    await write(db, "B")
    await seal_all(db)
    assert await broken(conn) == []


async def test_health_reports_that_seals_are_behind(db: Connection) -> None:
    async def health() -> tuple[str, str, str | None]:
        (row,) = await rows(db, "SELECT status, found, fix FROM feed.health WHERE topic = 'seals'")
        return row["status"], row["found"], row["fix"]

    assert await health() == ("ok", "the log is not sealed", None)
    await switch_on(db)
    assert await health() == ("ok", "nothing is sealed yet", None)
    await db.execute("UPDATE feed.flags SET at = at - interval '1 hour'")
    await db.execute("UPDATE feed.log SET at = at - interval '1 hour'")
    status, found, fix = await health()
    assert status == "warning"
    assert found.startswith("changes since ")
    assert (fix or "").startswith("SELECT feed.seal();")
    await seal_all(db)
    status, found, fix = await health()
    assert (status, fix) == ("ok", None)
    assert found.startswith("seal ")
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('late', 'b1')")
    await db.execute("UPDATE feed.log SET at = at - interval '1 hour' WHERE key = 'late'")
    assert (await health())[0] == "warning"


@pytest.mark.any_version
async def test_a_running_service_seals_the_log(serve: Any, database: Database) -> None:
    await database.execute("SELECT feed.set_seal(true)")
    await (await serve()).open("websocket")
    await until(lambda: database.execute("SELECT number FROM feed.seals"))
