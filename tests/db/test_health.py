"""What feed.health finds, it says how to mend: each fault is made, named, and gone once its fix is pasted."""

import re
import subprocess
from pathlib import Path
from typing import Any, LiteralString, NamedTuple

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from db import migrate
from db.embedded import cluster
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, runnable_binaries
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from tests.conftest import SERVER_SETTINGS
from tests.db.support import Connection, logged, mark, rows, value
from tests.support.database import Database
from tests.support.until import until


async def health(db: Connection, topic: str) -> dict[str, Any]:
    (found,) = await rows(db, "SELECT status, found, fix FROM feed.health WHERE topic = %s", (topic,))
    return found


async def paste(db: Connection, fix: str) -> None:
    """As psql runs it: one statement after the other, comments aside."""
    for statement in re.sub(r"--.*", "", fix).split(";"):
        if statement.strip():
            await db.execute(statement.encode())


class Fault(NamedTuple):
    made: LiteralString
    topic: str
    status: str
    found: str
    """What must be in it."""


FAULTS = {
    "a trigger that is off": Fault(
        "ALTER TABLE opportunities DISABLE TRIGGER feed_capture_update",
        "triggers",
        "bad",
        "feed_capture_update on opportunities is disabled",
    ),
    "a table without its triggers": Fault(
        "SELECT feed.detach('board_members')", "triggers", "bad", "feed_capture_insert on board_members is missing"
    ),
    "versions that are not counted": Fault(
        "DROP TRIGGER zz_feed_version ON opportunities",
        "triggers",
        "bad",
        "zz_feed_version on opportunities is missing",
    ),
    "one trigger of a table of one's own": Fault(
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
    "the partition that is written to detached": Fault(
        "ALTER TABLE feed.log DETACH PARTITION feed.log_1", "partitions", "warning", "log_1 is detached"
    ),
    "the same, and written since": Fault(
        """ALTER TABLE feed.log DETACH PARTITION feed.log_1;
        UPDATE opportunities SET title = 'B'""",
        "partitions",
        "warning",
        "log_1 is detached; log_default contains changes, starting at seq",
    ),
    "an old one detached": Fault(
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
    "all that is written to gone": Fault(
        "DROP TABLE feed.log_1, feed.log_2, feed.log_default",
        "partitions",
        "bad",
        "log_1 is missing; log_2 is missing; log_default is missing",
    ),
    "an index of the log": Fault("DROP INDEX feed.log_xid", "indexes", "warning", "log_xid on feed.log is missing"),
    "another one": Fault("DROP INDEX feed.log_key", "indexes", "warning", "log_key on feed.log is missing"),
    "the log's key": Fault(
        "ALTER TABLE feed.log DROP CONSTRAINT log_pkey", "indexes", "warning", "log_pkey on feed.log is missing"
    ),
    "an index of the cards": Fault(
        "DROP INDEX feed_opportunities_board_id",
        "indexes",
        "warning",
        "feed_opportunities_board_id on opportunities is missing",
    ),
    "other indexes": Fault(
        "DROP INDEX feed.delivery_journal_delivered, board_members_user_id",
        "indexes",
        "warning",
        "board_members_user_id on board_members is missing, delivery_journal_delivered on feed.delivery_journal is missing",
    ),
    "an index of the log that has no part in each partition": Fault(
        "DROP INDEX feed.log_key; CREATE INDEX log_key ON ONLY feed.log (relation, key, seq)",
        "indexes",
        "warning",
        "log_key on feed.log is invalid",
    ),
    "a key that is unique no more": Fault(
        "ALTER TABLE board_members DROP CONSTRAINT board_members_pkey",
        "indexes",
        "warning",
        "no index makes the key of board_members unique",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_is_gone_when_its_cure_is_pasted(db: Connection, fault: Fault) -> None:
    well = await health(db, fault.topic)
    assert (well["status"], well["fix"]) == ("ok", None)
    await db.execute(fault.made)
    found = await health(db, fault.topic)
    assert (found["status"], fault.found in found["found"]) == (fault.status, True), found
    await paste(db, found["fix"])
    assert (await health(db, fault.topic))["status"] == "ok"
    before = await mark(db)
    await db.execute("UPDATE opportunities SET title = 'As ever'")
    assert [row["op"] for row in await logged(db, before)] == ["update"]


async def test_what_was_written_while_a_partition_was_off_is_in_the_log_again(db: Connection) -> None:
    """Capture goes on in the default partition; the fix brings both together."""
    before = [row["seq"] for row in await logged(db)]
    await db.execute("ALTER TABLE feed.log DETACH PARTITION feed.log_1")
    for title in ("B", "C"):
        await db.execute("UPDATE opportunities SET title = %s", (title,))
    assert len(await logged(db)) == 2
    await paste(db, (await health(db, "partitions"))["fix"])
    after = [row["seq"] for row in await logged(db)]
    assert after == [*before, before[-1] + 1, before[-1] + 2]
    assert await value(db, "SELECT count(*) FROM feed.log_default") == 0


async def test_an_index_whose_making_failed_is_named(db: Connection) -> None:
    await db.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o2', 'b1', 'A deal')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        await db.execute("CREATE UNIQUE INDEX CONCURRENTLY titles ON opportunities (title)")
    found = await health(db, "indexes")
    assert (found["status"], found["found"]) == ("warning", "titles on opportunities is invalid")
    await db.execute("DELETE FROM opportunities WHERE id = 'o2'")
    await paste(db, found["fix"])
    assert (await health(db, "indexes"))["status"] == "ok"


async def test_a_column_that_was_renamed_is_named_with_what_to_call(db: Connection) -> None:
    await db.execute("CREATE TABLE tasks (id int PRIMARY KEY, b text); SELECT feed.attach('tasks', board => 'b')")
    await db.execute("ALTER TABLE tasks RENAME b TO board")
    found = await health(db, "triggers")
    assert (found["status"], "on tasks is stale" in found["found"]) == ("bad", True)
    assert found["fix"].startswith(
        "SELECT feed.attach('tasks', ...); -- with the current names of the key and board columns"
    )


async def test_a_role_that_writes_past_the_triggers_is_cured(db: Connection, database: Database) -> None:
    role = Identifier(f"{database.name}_apply")
    await db.execute(SQL("CREATE ROLE {}").format(role))
    setting = SQL("SET session_replication_role = 'replica'")
    try:
        for whose in (
            SQL("ROLE {}").format(role),
            SQL("ROLE {} IN DATABASE {}").format(role, Identifier(database.name)),
            SQL("DATABASE {}").format(Identifier(database.name)),
        ):
            await db.execute(SQL("ALTER {} {}").format(whose, setting))
            found = await health(db, "replication role")
            assert found["status"] == "bad"
            await paste(db, found["fix"])
            assert (await health(db, "replication role"))["status"] == "ok"
    finally:
        await db.execute(SQL("DROP ROLE {}").format(role))


async def test_a_database_that_takes_no_more_connections_is_named(db: Connection, database: Database) -> None:
    await db.execute(SQL("ALTER DATABASE {} CONNECTION LIMIT 2").format(Identifier(database.name)))

    async def crowded() -> dict[str, Any]:
        await db.execute("SELECT pg_stat_clear_snapshot()")
        return await health(db, "connections")

    assert (await crowded())["status"] == "ok"
    async with await database.connect():
        found = await crowded()
        assert (found["status"], found["found"]) == ("bad", "2 of 2 in use (limit of this database)")
        assert f"ALTER DATABASE {database.name} CONNECTION LIMIT 6" in found["fix"]


async def test_a_role_that_gets_no_more_connections_is_named(db: Connection, database: Database) -> None:
    login = Identifier(f"{database.name}_crm")
    await db.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'x' CONNECTION LIMIT 1").format(login))
    try:
        url = f"postgresql://{database.name}_crm:x@{database.url.rpartition('@')[2]}"
        async with await psycopg.AsyncConnection.connect(url):
            found = await health(db, "connections")
            assert (found["status"], found["found"]) == (
                "bad",
                f"1 of 1 in use (limit of role {database.name}_crm)",
            )
    finally:
        await db.execute(SQL("DROP ROLE {}").format(login))


async def test_who_holds_the_queue_is_named_and_ended(db: Connection, database: Database) -> None:
    """A listener whose client has gone to lunch: the server's buffers fill up, and then the queue of the whole cluster."""
    async with (
        await psycopg.AsyncConnection.connect(database.url, autocommit=True, application_name="lunch") as lazy,
        await database.connect() as speaker,
    ):
        await lazy.execute("LISTEN flood")
        await speaker.execute(
            "SELECT count(pg_notify('flood', n || repeat('x', 7900))) FROM generate_series(1, 2000) AS n"
        )

        async def stuck() -> bool:
            row = await value(db, "SELECT wait_event FROM pg_stat_activity WHERE pid = %s", (lazy.info.backend_pid,))
            return bool(row == "ClientWrite")

        await until(stuck, timeout=20, what="the backend to wait for its client")
        found = await at_once(db, "notify queue")
        named = f"probably held up by pid {lazy.info.backend_pid} (lunch, database {database.name}), whose client does not read"
        assert (found["status"], named in found["found"]) == ("warning", True), found
        await paste(db, found["fix"])

        async def let_go() -> bool:
            return bool((await at_once(db, "notify queue"))["status"] == "ok")

        await until(let_go, timeout=20)


async def at_once(db: Connection, topic: str) -> dict[str, Any]:
    """What feed.health says of a topic if ten seconds are none."""
    definition = await value(db, "SELECT pg_get_viewdef('feed.health')")
    assert "'00:00:10'::interval" in definition
    view = definition.replace("'00:00:10'::interval", "'0'::interval").rstrip(";")
    wanted = SQL("SELECT status, found, fix FROM ({}) AS h WHERE topic = {}").format(SQL(view), topic)
    (found,) = await rows(db, wanted)
    return found


async def test_transaction_ids_that_run_out_are_named(binaries: Path | None) -> None:
    """A server that is told that it has given out 600 million, with vacuum put off."""
    settings = SERVER_SETTINGS | {"autovacuum": "off", "autovacuum_freeze_max_age": "2000000000"}
    with ephemeral_postgres(settings, binaries=binaries) as server:
        migrate.upgrade(server.url())
        server.stop()
        _age(server, binaries, 600_000_000)
        server.start()
        async with await Database(server.url(), "boardcast").connect() as db:
            found = await health(db, "transaction ids")
            assert (found["status"], found["found"][:20]) == ("warning", "28% used in database")
            for name in ("boardcast", "postgres", "template1"):
                async with await Database(server.url(name), name).connect() as each:
                    await paste(each, found["fix"])
            assert (await health(db, "transaction ids"))["status"] == "ok"


def _age(server: EmbeddedPostgres, binaries: Path | None, xid: int) -> None:
    """Let the next transaction have this id; what became of those before it is kept in a file that must be there."""
    account, data = Account.choose(), server.home / "data"
    program = runnable_binaries(binaries or find_binaries(), account) / "pg_resetwal"
    page = 32 * 8192
    segment = data / "pg_xact" / f"{xid // (page * 4):04X}"
    segment.write_bytes(bytes(page))
    account.own(segment)
    ran = account.spawn([program, "-x", str(xid), data], output=subprocess.DEVNULL, env=cluster.environment())
    assert ran.wait() == 0
