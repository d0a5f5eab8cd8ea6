"""The views for a DBA: the readable log, the triggers, the retention and the health checks."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from db import instances
from db.instances import InstanceStatus
from feed.wire.cursor import Cursor
from tests.db.support import Connection, newest_seq, rows, sqlstate_of, value
from tests.support.database import Database

SHORT: LiteralString = (
    "SELECT source, op, relation, key, title, changes, step FROM feed.trigger_log WHERE seq > %s ORDER BY seq"
)

TAIL: LiteralString = "SELECT op, key FROM feed.tail("


async def read(db: Connection, after: int) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await rows(db, SHORT, (after,))]


async def write_as(database: Database, statement: LiteralString, application: str = "psql") -> None:
    """Run one transaction with this application_name."""
    url = make_conninfo(database.url, application_name=application)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute(statement)


async def topics(db: Connection, *names: str) -> dict[str, str]:
    found = await rows(db, "SELECT topic, status FROM feed.health WHERE topic = ANY (%s)", (list(names),))
    return {row["topic"]: row["status"] for row in found}


def instance_status(cursor: str, **overrides: Any) -> InstanceStatus:
    defaults = {
        "instance": "feed-1",
        "service": "feed",
        "running": 3600.0,
        "since_read": 0.5,
        "reads": 7,
        "cursor": cursor,
        "anchor": Cursor.parse(cursor).anchor,
        "connections": 3,
        "listens": True,
        "ready": True,
        "tailer_pid": None,
        "listener_pid": None,
    }
    return InstanceStatus(**{**defaults, **overrides})


async def current_cursor(db: Connection) -> str:
    """A cursor that covers the whole log, except that its tag is not valid."""
    found = await value(
        db,
        "SELECT feed_id || '.' || n || '.' || n || '..' || (SELECT max(seq) FROM feed.log) || '.00000000' "
        "FROM feed.identity, (SELECT max(xid::text::bigint) + 1 AS n FROM feed.log) AS newest",
    )
    return str(found)


@pytest.fixture
async def plain(database: Database) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        yield conn


async def test_a_change_shows_old_and_new_values(db: Connection, database: Database) -> None:
    before = await newest_seq(db)
    await write_as(
        database, "UPDATE opportunities SET phase = 'won', value = 10.5, notes = repeat('x', 100) WHERE id = 'o1'"
    )
    ((source, op, relation, key, title, changes, step),) = await read(db, before)
    assert (source, op, relation, key, title, step) == ("psql", "update", "opportunities", "o1", "A deal", "1 of 1")
    assert changes == f"notes: null -> {'x' * 57}...; phase: new -> won; value: null -> 10.50"


async def test_the_step_counts_all_rows_of_a_transaction(db: Connection, database: Database) -> None:
    before = await newest_seq(db)
    await write_as(
        database,
        "INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b1'), ('o3', 'b1'); "
        "UPDATE feed.boards SET name = 'Uno' WHERE id = 'b1'",
    )
    assert [(row[1], row[3], row[6]) for row in await read(db, before)] == [
        ("insert", "o2", "1 of 3"),
        ("insert", "o3", "2 of 3"),
        ("update", "b1", "3 of 3"),
    ]


async def test_a_very_large_transaction_is_not_counted(db: Connection, database: Database) -> None:
    before = await newest_seq(db)
    await write_as(database, "INSERT INTO opportunities (board_id) SELECT 'b1' FROM generate_series(1, 1001)")
    assert {row[6] for row in await read(db, before)} == {"of more than 1000"}


@pytest.mark.any_version
@pytest.mark.parametrize(
    ("application", "origin", "source"),
    [
        ("psql", "", "psql"),
        ("boardcast-api", "client-7", "api"),
        ("boardcast-api", "migration:forged by a client", "api"),
        ("boardcast-migrate", "", "migration"),
        ("flyway", "", "migration"),
        ("pg_cron", "", "job"),
        ("crm", "", "app"),
        ("crm", "job:nightly", "job"),
        ("crm", "import", "import"),
        ("crm", "jobless", "app"),
        ("", "", "unknown"),
    ],
)
async def test_the_source_of_a_change(
    db: Connection, database: Database, application: str, origin: str, source: str
) -> None:
    before = await newest_seq(db)
    url = make_conninfo(database.url, application_name=application)
    async with await psycopg.AsyncConnection.connect(url) as conn:
        await conn.execute("SELECT set_config('feed.origin', %s, true)", (origin,))
        await conn.execute("UPDATE opportunities SET phase = 'won'")
    assert [row[0] for row in await read(db, before)] == [source]


async def test_rows_deleted_with_their_parent_have_the_source_cascade(db: Connection, database: Database) -> None:
    await db.execute("INSERT INTO feed.board_members VALUES ('b1', 'ana', 'editor')")
    before = await newest_seq(db)
    await write_as(database, "DELETE FROM feed.boards WHERE id = 'b1'")
    await write_as(database, "DELETE FROM feed.boards WHERE id = 'b2'")
    found = {(source, relation, key) for source, _, relation, key, *_ in await read(db, before)}
    assert found == {
        ("psql", "feed.boards", "b1"),
        ("psql", "feed.boards", "b2"),
        ("cascade", "opportunities", "o1"),
        ("cascade", "feed.board_members", '["b1", "ana"]'),
    }


async def test_a_cascade_between_tables_of_other_schemas(db: Connection) -> None:
    await db.execute(
        """
        CREATE SCHEMA "My Crm";
        CREATE TABLE "My Crm"."Lists" (id int PRIMARY KEY);
        CREATE TABLE "My Crm"."Tasks" (id int PRIMARY KEY, list int REFERENCES "My Crm"."Lists" ON DELETE CASCADE);
        SELECT feed.attach('"My Crm"."Lists"'), feed.attach('"My Crm"."Tasks"');
        INSERT INTO "My Crm"."Lists" VALUES (1);
        INSERT INTO "My Crm"."Tasks" VALUES (7, 1), (8, NULL);
        """
    )
    before = await newest_seq(db)
    await db.execute('DELETE FROM "My Crm"."Tasks" WHERE id = 8')
    await db.execute('DELETE FROM "My Crm"."Lists"')
    found = {relation: source for source, _, relation, key, *_ in await read(db, before) if key != "8"}
    assert found == {"My Crm.Lists": "unknown", "My Crm.Tasks": "cascade"}
    history = await rows(db, "SELECT op, key FROM feed.history('7', relation => 'My Crm.Tasks')")
    assert [row["op"] for row in history] == ["insert", "delete"]


async def test_tail_returns_the_newest_matching_changes(db: Connection, database: Database) -> None:
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b2')")
    for title in ("B", "C"):
        await db.execute(SQL("UPDATE opportunities SET title = {} WHERE id = 'o1'").format(title))
    await db.execute("UPDATE opportunities SET title = 'D', last_modified_by = 'ana' WHERE id = 'o2'")

    async def tail(arguments: LiteralString) -> list[tuple[str, str]]:
        return [(row["op"], row["key"]) for row in await rows(db, TAIL + arguments + ")")]

    assert await tail("lim => 2") == [("update", "o1"), ("update", "o2")]
    assert await tail("opportunity => 'o1'") == [("insert", "o1"), ("update", "o1"), ("update", "o1")]
    assert await tail("since => '10 min', board => 'b2'") == [("insert", "b2"), ("insert", "o2"), ("update", "o2")]
    assert await tail("actor => 'ana'") == [("update", "o2")]
    assert await tail("relation => 'feed.boards', lim => 1") == [("insert", "b2")]
    await db.execute("SELECT pg_sleep(0.01)")
    assert await tail("since => '5 ms'") == []
    assert len(await tail("since => NULL")) == 7


async def test_seq_since_works_with_gaps_in_the_sequence(db: Connection) -> None:
    assert await value(db, "SELECT feed.seq_since('-infinity')") == await value(db, "SELECT min(seq) FROM feed.log")
    await db.execute(
        "INSERT INTO feed.log (seq, at, relation, op, actor, db_user, pid) "
        "SELECT 1000 + n * n, '2030-01-01'::timestamptz + n * interval '1 min', 'x', 'insert', 'x', 'x', 1 "
        "FROM generate_series(0, 200) AS n"
    )
    for minute in (0, 1, 57, 199):
        at = "2030-01-01 00:00+00:00"
        found = await value(db, "SELECT feed.seq_since(%s::timestamptz + %s * interval '1 min')", (at, minute))
        later = "SELECT count(*) FROM feed.log WHERE at > %s::timestamptz + %s * interval '1 min'"
        assert await value(db, later, (at, minute)) == 200 - minute
        assert await value(db, "SELECT count(*) FROM feed.log WHERE seq >= %s", (found,)) == 200 - minute
    assert await value(db, "SELECT feed.seq_since('infinity')") == await value(db, "SELECT max(seq) + 1 FROM feed.log")


async def test_seq_since_and_tail_of_an_empty_log(database: Database) -> None:
    assert await database.execute("SELECT feed.seq_since(now()) AS seq, (SELECT count(*) FROM feed.tail()) AS n") == [
        {"seq": 0, "n": 0}
    ]


async def test_the_database_parses_cursors_like_the_feed(db: Connection) -> None:
    text = "3f9a2b1c0d.790.801.0-2-5.1234.9f86d081"
    (found,) = await rows(db, "SELECT feed_id, xmax::text, xip::text, anchor, tag FROM feed.parse_cursor(%s)", (text,))
    cursor = Cursor.parse(text)
    assert found == {
        "feed_id": cursor.feed,
        "xmax": str(cursor.seen.xmax),
        "xip": "{" + ",".join(map(str, cursor.seen.xip)) + "}",
        "anchor": cursor.anchor,
        "tag": cursor.tag,
    }
    for xid in range(785, 805):
        assert await value(db, "SELECT feed.has_seen(%s, %s::text::xid8)", (text, xid)) == (xid in cursor.seen)
    nothing = await rows(db, "SELECT xmax, xip FROM feed.parse_cursor('3f9a2b1c0d.790.790..0.00000000')")
    assert nothing == [{"xmax": "790", "xip": []}]
    assert await value(db, "SELECT feed.has_seen('no cursor', '5')") is None


async def test_lag_counts_the_changes_after_the_last_report(db: Connection, plain: Any) -> None:
    early = await current_cursor(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    await db.execute("UPDATE opportunities SET title = 'C'")
    await instances.report(plain, instance_status(early))
    await db.execute("UPDATE opportunities SET title = 'D'")
    (lag,) = await rows(db, "SELECT alive, behind, delay > '0' AS delay, newest - anchor AS ahead FROM feed.lag")
    assert lag == {"alive": True, "behind": 2, "delay": True, "ahead": 3}
    assert await topics(db, "instances", "listeners", "log reads", "lag") == dict.fromkeys(
        ("instances", "listeners", "log reads", "lag"), "ok"
    )
    # After ten seconds without a report, all changes up to now count as lag.
    await db.execute("UPDATE feed.instances SET reported_at = reported_at - interval '1 min'")
    (lag,) = await rows(db, "SELECT alive, behind FROM feed.lag")
    assert lag == {"alive": False, "behind": 3}
    assert await topics(db, "instances", "lag") == {"instances": "bad", "lag": "unknown"}


async def test_instances_that_stopped_reporting_are_removed_by_the_others(db: Connection, plain: Any) -> None:
    cursor = await current_cursor(db)
    await instances.report(plain, instance_status(cursor, instance="feed-killed"))
    await instances.report(plain, instance_status(cursor, instance="feed-2", listens=False, since_read=20.0))
    assert await topics(db, "instances", "listeners", "log reads") == {
        "instances": "ok",
        "listeners": "bad",
        "log reads": "bad",
    }
    await db.execute("UPDATE feed.instances SET reported_at = reported_at - interval '4 min'")
    await instances.report(plain, instance_status(cursor, instance="feed-2"))
    assert await topics(db, "instances") == {"instances": "warning"}
    await db.execute("UPDATE feed.instances SET reported_at = reported_at - interval '6 min'")
    await instances.report(
        plain, instance_status(cursor, instance="feed-2")
    )  # its own report was late too, but it keeps its own row
    assert await rows(db, "SELECT instance, alive FROM feed.instance_status") == [{"instance": "feed-2", "alive": True}]
    await instances.remove(plain, "feed-2")
    assert await rows(db, "SELECT FROM feed.instances") == []


async def test_disabled_and_missing_triggers_are_reported(db: Connection) -> None:
    assert await topics(db, "triggers") == {"triggers": "ok"}
    await db.execute("ALTER TABLE opportunities DISABLE TRIGGER feed_capture_update")
    await db.execute("ALTER TABLE opportunities ENABLE REPLICA TRIGGER feed_capture_delete")
    await db.execute("ALTER TABLE opportunities ENABLE ALWAYS TRIGGER feed_capture_insert")
    await db.execute("SELECT feed.detach('feed.board_members')")
    off = await rows(
        db,
        "SELECT relation::text, trigger, state FROM feed.triggers WHERE state <> 'on' ORDER BY relation::text, trigger",
    )
    assert [tuple(row.values()) for row in off] == [
        ("feed.board_members", "feed_begin", "missing"),
        ("feed.board_members", "feed_capture_delete", "missing"),
        ("feed.board_members", "feed_capture_insert", "missing"),
        ("feed.board_members", "feed_capture_truncate", "missing"),
        ("feed.board_members", "feed_capture_update", "missing"),
        ("opportunities", "feed_capture_delete", "replica"),
        ("opportunities", "feed_capture_insert", "always"),
        ("opportunities", "feed_capture_update", "disabled"),
    ]
    (health,) = await rows(db, "SELECT status, found FROM feed.health WHERE topic = 'triggers'")
    assert health["status"] == "bad"
    assert "feed_capture_update on opportunities is disabled" in health["found"]
    assert "always" not in health["found"]


async def test_feed_triggers_shows_key_board_and_cost(db: Connection) -> None:
    await db.execute('CREATE TABLE "Tarefas" ("Nº" int, "Ação" int, "Quadro" text, PRIMARY KEY ("Nº", "Ação"))')
    await db.execute("""SELECT feed.attach('"Tarefas"', board => 'Quadro')""")
    await db.execute("SET track_functions = 'pl'")
    await db.execute("""INSERT INTO "Tarefas" VALUES (1, 2, 'b1')""")
    await db.execute("SELECT pg_stat_force_next_flush()")
    found = await rows(
        db,
        """
        SELECT key, board, calls, us_per_call FROM feed.triggers
        WHERE trigger = 'feed_capture_insert' AND relation = '"Tarefas"'::regclass
        """,
    )
    assert (found[0]["key"], found[0]["board"], found[0]["calls"]) == (["Nº", "Ação"], "Quadro", 1)
    assert found[0]["us_per_call"] > 0
    await db.execute("""CREATE TABLE plain (id int PRIMARY KEY); SELECT feed.attach('plain')""")
    (row,) = await rows(
        db,
        "SELECT key, board FROM feed.triggers WHERE trigger = 'feed_capture_insert' AND relation = 'plain'::regclass",
    )
    assert row == {"key": ["id"], "board": None}


async def test_feed_retention_shows_each_partition(db: Connection) -> None:
    await db.execute("ANALYZE feed.log")
    partitions = await rows(db, "SELECT * FROM feed.retention WHERE first_seq IS NOT NULL")
    ends = await rows(db, "SELECT min(seq) AS first, max(seq) AS last, min(at) AS since FROM feed.log")
    assert min(row["first_seq"] for row in partitions) == ends[0]["first"]
    assert max(row["last_seq"] for row in partitions) == ends[0]["last"]
    assert min(row["first_at"] for row in partitions) == ends[0]["since"]
    assert all(row["bytes"] > 0 and row["changes"] > 0 for row in partitions)


async def test_missing_partitions_are_reported(db: Connection) -> None:
    assert await topics(db, "partitions") == {"partitions": "ok"}
    await db.execute("DROP TABLE feed.log_2")
    assert await topics(db, "partitions") == {"partitions": "warning"}
    await db.execute("SELECT feed.rotate_partition()")
    await db.execute("UPDATE opportunities SET title = 'B'")
    (health,) = await rows(db, "SELECT status, found FROM feed.health WHERE topic = 'partitions'")
    assert health["status"] == "warning"
    assert (
        health["found"]
        == f"log_2 is missing; log_3 is missing; log_default contains changes, starting at seq {await newest_seq(db)}"
    )
    assert [row["op"] for row in await rows(db, "SELECT op FROM feed.tail(lim => 1)")] == ["update"]


async def test_a_role_that_bypasses_the_triggers_is_reported(db: Connection, database: Database) -> None:
    role = Identifier(f"{database.name}_apply")
    await db.execute(SQL("CREATE ROLE {}").format(role))
    statement = SQL("ALTER ROLE {} IN DATABASE {} SET session_replication_role = 'replica'")
    await db.execute(statement.format(role, Identifier(database.name)))
    (health,) = await rows(db, "SELECT status, found FROM feed.health WHERE topic = 'replication role'")
    assert health == {"status": "bad", "found": f"replica is set for {database.name}_apply"}
    await db.execute(SQL("DROP ROLE {}").format(role))
    assert await topics(db, "replication role") == {"replication role": "ok"}


async def health_without_age_limits(db: Connection, topic: LiteralString) -> dict[str, Any]:
    """Query feed.health for a topic with its age limits set to zero."""
    definition = await value(db, "SELECT pg_get_viewdef('feed.health')")
    old = re.compile("'00:0[15]:00'::interval")
    assert len(old.findall(definition)) == 2
    at_once = SQL(old.sub("'0'::interval", definition).rstrip(";"))
    query = SQL("SELECT status, found FROM ({}) AS h WHERE topic = {}").format(at_once, topic)
    (found,) = await rows(db, query)
    return found


async def test_an_old_prepared_transaction_is_reported(db: Connection, database: Database) -> None:
    gid = f"forgotten-{database.name}"
    await db.execute("BEGIN")
    await db.execute("CREATE TABLE held (id int)")
    await db.execute(SQL("PREPARE TRANSACTION {}").format(gid))
    try:
        assert await topics(db, "prepared transactions") == {"prepared transactions": "ok"}  # younger than the limit
        found = await health_without_age_limits(db, "prepared transactions")
        assert found == {"status": "warning", "found": f"1 older than a minute: {gid}"}
    finally:
        await db.execute(SQL("ROLLBACK PREPARED {}").format(gid))


async def test_a_long_transaction_is_reported(db: Connection, database: Database) -> None:
    assert await topics(db, "transactions") == {"transactions": "ok"}
    async with await psycopg.AsyncConnection.connect(database.url, application_name="report") as reader:
        await reader.execute("SELECT 1")
        assert await topics(db, "transactions") == {"transactions": "ok"}  # younger than the limit
        found = await health_without_age_limits(db, "transactions")
        assert found["status"] == "warning"
        assert found["found"].startswith(f"pid {reader.info.backend_pid} (report) has been in a transaction since ")


async def test_without_pg_read_all_stats_the_transactions_are_unknown(db: Connection, database: Database) -> None:
    role = Identifier(f"{database.name}_reader")
    await db.execute(SQL("CREATE ROLE {}").format(role))
    await db.execute(SQL("GRANT USAGE ON SCHEMA feed TO {0}").format(role))
    await db.execute(SQL("GRANT SELECT ON feed.health, feed.adopted, feed.attached TO {0}").format(role))
    await db.execute(SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA feed TO {0}").format(role))
    await db.execute(SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA feed TO {0}").format(role))
    await db.execute(SQL("SET ROLE {}").format(role))
    try:
        (health,) = await rows(db, "SELECT status, fix FROM feed.health WHERE topic = 'transactions'")
    finally:
        await db.execute("RESET ROLE")
        await db.execute(SQL("DROP OWNED BY {0}").format(role))
        await db.execute(SQL("DROP ROLE {0}").format(role))
    assert health == {"status": "unknown", "fix": "GRANT pg_read_all_stats TO feed_dba;"}


# A log that misleads the planner: two transactions wrote most rows, and each other row has its own transaction.
SEVERAL: LiteralString = """
    INSERT INTO feed.log (partition_number, xid, relation, op, key, board, old, new, version, actor, db_user, application, pid)
    SELECT 1 + n / {}, (1000 + CASE WHEN n < 40000 THEN 0 WHEN n < 80000 THEN 1 ELSE n END)::text::xid8, 'opportunities',
           CASE WHEN n % 10 = 0 THEN 'delete' ELSE 'update' END, 'o' || n % 1000, 'b' || n % 10,
           jsonb_build_object('id', 'o' || n % 1000, 'board_id', 'b' || n % 10, 'title', 'before'),
           jsonb_build_object('id', 'o' || n % 1000, 'board_id', 'b' || n % 10, 'title', 'after'), 1, 'ana', 'app', 'app', 1
    FROM generate_series(0, 99999) AS n
"""
READS: dict[LiteralString, int] = {
    "SELECT * FROM feed.trigger_log ORDER BY seq DESC LIMIT 50": 400,
    "SELECT * FROM feed.tail()": 400,
    "SELECT * FROM feed.tail(since => '0 s')": 0,
    "SELECT * FROM feed.tail(since => NULL, board => 'b3')": 1_500,
    "SELECT * FROM feed.tail(since => NULL, opportunity => 'o7')": 70_000,
    "SELECT seq, changes FROM feed.history('o7')": 500,
    "SELECT * FROM feed.trigger_log WHERE seq = (SELECT min(seq) FROM feed.log) + 50000": 1_500,
    "SELECT * FROM feed.explain((SELECT max(seq) FROM feed.log))": 10,
}
"""How many rows each may touch: those it returns, and those of their transactions (up to 1,001 each)."""


@pytest.mark.parametrize("statistics", ["analyzed", "never analyzed"])
@pytest.mark.parametrize("partition_count", [1, 10])
async def test_a_read_of_the_log_touches_only_the_rows_it_returns(
    db: Connection, statistics: str, partition_count: int
) -> None:
    await db.execute("ALTER TABLE feed.log_1 SET (autovacuum_enabled = off)")
    for number in range(3, partition_count + 1):
        await db.execute("SELECT feed.make_partition(%s)", (number,))
    await db.execute(SQL(SEVERAL).format(100_000 // partition_count))
    if statistics == "analyzed":
        await db.execute("ANALYZE feed.log")
    for statement, limit in READS.items():
        (row,) = await rows(db, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement)
        plan = row["QUERY PLAN"][0]["Plan"]
        touched = sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in nodes(plan)
            if node.get("Relation Name", "").startswith("log")
        )
        assert touched <= limit, (statement, touched, json.dumps(plan, indent=1))


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(deeper for inner in node.get("Plans", []) for deeper in nodes(inner))]


async def test_the_views_are_read_only(db: Connection) -> None:
    await db.execute("SET ROLE feed_dba")
    assert await sqlstate_of(db, "UPDATE feed.trigger_log SET actor = 'x'") == "55000"
    await db.execute("RESET ROLE")
