"""feed.health reports each fault with a fix, and running the fix resolves the fault."""

import re
import subprocess
from pathlib import Path
from typing import Any, LiteralString, NamedTuple

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from db.embedded import cluster
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, runnable_binaries
from db.embedded.server import EmbeddedPostgres
from tests.conftest import SERVER_SETTINGS
from tests.db.support import Connection, log_rows, newest_seq, rows, value
from tests.support.clusters import RunServer
from tests.support.database import Database
from tests.support.until import until


async def health(db: Connection, topic: str) -> dict[str, Any]:
    (found,) = await rows(db, "SELECT status, found, fix FROM feed.health WHERE topic = %s", (topic,))
    return found


async def run_fix(db: Connection, fix: str) -> None:
    """Run the statements of a fix one by one, without comments, as psql does."""
    for statement in re.sub(r"--.*", "", fix).split(";"):
        if statement.strip():
            await db.execute(statement.encode())


class Fault(NamedTuple):
    setup: LiteralString
    topic: str
    status: str
    found: str
    """Must be part of the finding."""


FAULTS = {
    "a disabled trigger": Fault(
        "ALTER TABLE opportunities DISABLE TRIGGER feed_capture_update",
        "triggers",
        "bad",
        "feed_capture_update on opportunities is disabled",
    ),
    "a table without its triggers": Fault(
        "SELECT feed.detach('feed.board_members')",
        "triggers",
        "bad",
        "feed_capture_insert on feed.board_members is missing",
    ),
    "the version trigger missing": Fault(
        "DROP TRIGGER zz_feed_version ON opportunities",
        "triggers",
        "bad",
        "zz_feed_version on opportunities is missing",
    ),
    "one trigger missing on an attached table": Fault(
        """CREATE TABLE "My Tasks" ("Id" int, part int, board text, quiet text, PRIMARY KEY ("Id", part));
        SELECT feed.attach('"My Tasks"', board => 'board', exclude => '{quiet}');
        DROP TRIGGER feed_capture_delete ON "My Tasks" """,
        "triggers",
        "bad",
        'feed_capture_delete on "My Tasks" is missing',
    ),
    "the next partition dropped": Fault("DROP TABLE feed.log_2", "partitions", "warning", "log_2 is missing"),
    "the next partition detached": Fault(
        "ALTER TABLE feed.log DETACH PARTITION feed.log_2", "partitions", "warning", "log_2 is detached"
    ),
    "the current partition detached": Fault(
        "ALTER TABLE feed.log DETACH PARTITION feed.log_1", "partitions", "warning", "log_1 is detached"
    ),
    "the current partition detached, then writes": Fault(
        """ALTER TABLE feed.log DETACH PARTITION feed.log_1;
        UPDATE opportunities SET title = 'B'""",
        "partitions",
        "warning",
        "log_1 is detached; log_default contains changes, starting at seq",
    ),
    "an old partition detached": Fault(
        "SELECT feed.rotate_partition(); ALTER TABLE feed.log DETACH PARTITION feed.log_1; SELECT feed.make_partition(3)",
        "partitions",
        "warning",
        "log_1 is detached",
    ),
    "the default partition dropped": Fault(
        "DROP TABLE feed.log_default", "partitions", "bad", "log_default is missing"
    ),
    "the default partition detached": Fault(
        "ALTER TABLE feed.log DETACH PARTITION feed.log_default", "partitions", "bad", "log_default is detached"
    ),
    "current, next and default partition dropped": Fault(
        "DROP TABLE feed.log_1, feed.log_2, feed.log_default",
        "partitions",
        "bad",
        "log_1 is missing; log_2 is missing; log_default is missing",
    ),
    "the xid index of the log": Fault(
        "DROP INDEX feed.log_xid", "indexes", "warning", "log_xid on feed.log is missing"
    ),
    "the key index of the log": Fault(
        "DROP INDEX feed.log_key", "indexes", "warning", "log_key on feed.log is missing"
    ),
    "the primary key of the log": Fault(
        "ALTER TABLE feed.log DROP CONSTRAINT log_pkey", "indexes", "warning", "log_pkey on feed.log is missing"
    ),
    "an index of opportunities": Fault(
        "DROP INDEX feed_opportunities_board_id",
        "indexes",
        "warning",
        "feed_opportunities_board_id on opportunities is missing",
    ),
    "other indexes": Fault(
        "DROP INDEX feed.delivery_journal_delivered, feed.board_members_user_id",
        "indexes",
        "warning",
        "board_members_user_id on feed.board_members is missing, delivery_journal_delivered on feed.delivery_journal is missing",
    ),
    "an index of the log that lacks partitions": Fault(
        "DROP INDEX feed.log_key; CREATE INDEX log_key ON ONLY feed.log (relation, key, seq)",
        "indexes",
        "warning",
        "log_key on feed.log is invalid",
    ),
    "a key without its unique index": Fault(
        "ALTER TABLE feed.board_members DROP CONSTRAINT board_members_pkey",
        "indexes",
        "bad",
        "no index makes the key of feed.board_members unique",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_each_reported_fix_resolves_its_fault(db: Connection, fault: Fault) -> None:
    healthy = await health(db, fault.topic)
    assert (healthy["status"], healthy["fix"]) == ("ok", None)
    await db.execute(fault.setup)
    found = await health(db, fault.topic)
    assert (found["status"], fault.found in found["found"]) == (fault.status, True), found
    await run_fix(db, found["fix"])
    assert (await health(db, fault.topic))["status"] == "ok"
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'As ever'")
    assert [row["op"] for row in await log_rows(db, before)] == ["update"]


async def test_the_fix_for_a_detached_partition_restores_all_rows(db: Connection) -> None:
    """Capture continues in the default partition; the fix merges both."""
    before = [row["seq"] for row in await log_rows(db)]
    await db.execute("ALTER TABLE feed.log DETACH PARTITION feed.log_1")
    for title in ("B", "C"):
        await db.execute("UPDATE opportunities SET title = %s", (title,))
    assert len(await log_rows(db)) == 2
    await run_fix(db, (await health(db, "partitions"))["fix"])
    after = [row["seq"] for row in await log_rows(db)]
    assert after == [*before, before[-1] + 1, before[-1] + 2]
    assert await value(db, "SELECT count(*) FROM feed.log_default") == 0


async def test_an_invalid_index_is_reported(db: Connection) -> None:
    await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o2', 'b1', 'A deal')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        await db.execute("CREATE UNIQUE INDEX CONCURRENTLY titles ON opportunities (title)")
    found = await health(db, "indexes")
    assert (found["status"], found["found"]) == ("warning", "titles on opportunities is invalid")
    await db.execute("DELETE FROM opportunities WHERE id = 'o2'")
    await run_fix(db, found["fix"])
    assert (await health(db, "indexes"))["status"] == "ok"


async def test_a_renamed_column_is_reported_with_a_fix(db: Connection) -> None:
    await db.execute("CREATE TABLE tasks (id int PRIMARY KEY, b text); SELECT feed.attach('tasks', board => 'b')")
    await db.execute("ALTER TABLE tasks RENAME b TO board")
    found = await health(db, "triggers")
    assert (found["status"], "on tasks is renamed" in found["found"]) == ("warning", True)
    assert found["fix"].startswith("SELECT feed.mend(); -- or boardcast migrate")
    await db.execute("SELECT feed.mend()")
    assert (await health(db, "triggers"))["status"] == "ok"
    await db.execute("ALTER TABLE tasks DROP board")
    found = await health(db, "triggers")
    assert (found["status"], "on tasks is stale" in found["found"]) == ("bad", True)
    assert found["fix"].startswith("SELECT feed.attach('tasks', ...); -- with another key or board column")


async def test_the_fix_for_a_role_that_bypasses_the_triggers(db: Connection, database: Database) -> None:
    role = Identifier(f"{database.name}_apply")
    await db.execute(SQL("CREATE ROLE {}").format(role))
    setting = SQL("SET session_replication_role = 'replica'")
    try:
        for target in (
            SQL("ROLE {}").format(role),
            SQL("ROLE {} IN DATABASE {}").format(role, Identifier(database.name)),
            SQL("DATABASE {}").format(Identifier(database.name)),
        ):
            await db.execute(SQL("ALTER {} {}").format(target, setting))
            found = await health(db, "replication role")
            assert found["status"] == "bad"
            await run_fix(db, found["fix"])
            assert (await health(db, "replication role"))["status"] == "ok"
    finally:
        await db.execute(SQL("DROP ROLE {}").format(role))


async def test_a_database_at_its_connection_limit_is_reported(db: Connection, database: Database) -> None:
    await db.execute(SQL("ALTER DATABASE {} CONNECTION LIMIT 2").format(Identifier(database.name)))

    async def connections_health() -> dict[str, Any]:
        await db.execute("SELECT pg_stat_clear_snapshot()")
        return await health(db, "connections")

    assert (await connections_health())["status"] == "ok"
    async with await database.connect():
        found = await connections_health()
        assert (found["status"], found["found"]) == ("bad", "2 of 2 in use (limit of this database)")
        assert f"ALTER DATABASE {database.name} CONNECTION LIMIT 6" in found["fix"]


async def test_a_role_at_its_connection_limit_is_reported(db: Connection, database: Database) -> None:
    role = Identifier(f"{database.name}_crm")
    await db.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'x' CONNECTION LIMIT 1").format(role))
    try:
        url = f"postgresql://{database.name}_crm:x@{database.url.rpartition('@')[2]}"
        async with await psycopg.AsyncConnection.connect(url):
            found = await health(db, "connections")
            assert (found["status"], found["found"]) == (
                "bad",
                f"1 of 1 in use (limit of role {database.name}_crm)",
            )
    finally:
        await db.execute(SQL("DROP ROLE {}").format(role))


async def test_the_backend_that_blocks_the_notify_queue_is_reported_and_its_fix_works(
    db: Connection, database: Database
) -> None:
    """If a listener's client stops reading, the server's buffers fill up, then the notification queue of the whole cluster."""
    async with (
        await psycopg.AsyncConnection.connect(database.url, autocommit=True, application_name="lunch") as listener,
        await database.connect() as sender,
    ):
        await listener.execute("LISTEN flood")
        await sender.execute(
            "SELECT count(pg_notify('flood', n || repeat('x', 7900))) FROM generate_series(1, 2000) AS n"
        )

        async def is_blocked() -> bool:
            row = await value(
                db, "SELECT wait_event FROM pg_stat_activity WHERE pid = %s", (listener.info.backend_pid,)
            )
            return bool(row == "ClientWrite")

        await until(is_blocked, timeout=20, what="the backend to wait for its client")
        found = await health_without_delay(db, "notify queue")
        named = f"probably held up by pid {listener.info.backend_pid} (lunch, database {database.name}), whose client does not read"
        assert (found["status"], named in found["found"]) == ("warning", True), found
        await run_fix(db, found["fix"])

        async def is_ok() -> bool:
            return bool((await health_without_delay(db, "notify queue"))["status"] == "ok")

        await until(is_ok, timeout=20)


async def health_without_delay(db: Connection, topic: str) -> dict[str, Any]:
    """Query feed.health for a topic with its ten-second limit set to zero."""
    definition = await value(db, "SELECT pg_get_viewdef('feed.health')")
    assert "'00:00:10'::interval" in definition
    view = definition.replace("'00:00:10'::interval", "'0'::interval").rstrip(";")
    query = SQL("SELECT status, found, fix FROM ({}) AS h WHERE topic = {}").format(SQL(view), topic)
    (found,) = await rows(db, query)
    return found


async def test_transaction_id_wraparound_is_reported(binaries: Path | None, run_server: RunServer) -> None:
    """A server whose next transaction ID is 600 million, without autovacuum."""
    settings = SERVER_SETTINGS | {"autovacuum": "off", "autovacuum_freeze_max_age": "2000000000"}
    with run_server(settings) as server:
        server.stop()
        _set_next_xid(server, binaries, 600_000_000)
        server.start()
        async with await Database(server.url(), "boardcast").connect() as db:
            found = await health(db, "transaction ids")
            assert (found["status"], found["found"][:20]) == ("warning", "28% used in database")
            for name in ("boardcast", "postgres", "template1"):
                async with await Database(server.url(name), name).connect() as each:
                    await run_fix(each, found["fix"])
            assert (await health(db, "transaction ids"))["status"] == "ok"


def _set_next_xid(server: EmbeddedPostgres, binaries: Path | None, xid: int) -> None:
    """Set the next transaction ID, and create the commit log segment that the server needs for it."""
    account, data = Account.choose(), server.home / "data"
    program = runnable_binaries(binaries or find_binaries(), account) / "pg_resetwal"
    page = 32 * 8192
    segment = data / "pg_xact" / f"{xid // (page * 4):04X}"
    segment.write_bytes(bytes(page))
    account.own(segment)
    process = account.spawn([program, "-x", str(xid), data], output=subprocess.DEVNULL, env=cluster.environment())
    assert process.wait() == 0
