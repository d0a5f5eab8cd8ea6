"""`boardcast doctor` reports real faults with fixes that work, and reports what it cannot check as unknown."""

import asyncio
import json
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from psycopg import sql

from cli import checks
from cli.failures import DATABASE, OK, PROBLEMS
from cli.probe import ClockOffset
from db import doctor as db_doctor
from db.embedded.loopback import free_port, is_free
from db.embedded.server import EmbeddedPostgres
from tests.cli.harness import Commands
from tests.cli.test_pooler import pooling
from tests.conftest import SERVER_SETTINGS
from tests.db.test_health import run_fix
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.standby import standby_of, wait_for_replay
from tests.support.until import until

WITHOUT_SERVICES = {"instances", "listeners", "log reads", "lag"}
"""The topics that are not ok if no service runs."""
TOLERATED = {"settings", "disk"}
"""The tests' server runs without fsync, and their machine may be full."""


def run_doctor(commands: Commands, **env: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run the doctor; return the exit status and the findings by topic."""
    done = commands.run("doctor", "--json", **env)
    assert done.stderr == ""
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(each) == {"topic", "status", "found", "fix"} for each in findings)
    return done.returncode, {each["topic"]: each for each in findings}


def problems(findings: dict[str, dict[str, Any]]) -> set[str]:
    return {topic for topic, each in findings.items() if each["status"] != "ok"} - TOLERATED


@contextmanager
def login(database: Database, *groups: str) -> Iterator[str]:
    """Create a login role in these groups; yield the database's URL for it."""
    name = f"doctor_{database.name}"
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(name)))
        for group in groups:
            conn.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name)))
        try:
            yield f"postgresql://{name}:x@{database.url.rpartition('@')[2]}"
        finally:
            conn.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
            conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


async def test_a_healthy_system(started_before: Commands) -> None:
    with started_before.serving("up"):

        def is_healthy() -> bool:
            status, findings = run_doctor(started_before)
            return status == OK and not problems(findings)

        await until(is_healthy, timeout=30)
        done = started_before.run("doctor")
    topics = [line.split("  ")[0] for line in done.stdout.splitlines()]
    assert topics[:8] == ["topic", "database", "primary", "version", "clock", "pooler", "LISTEN", "settings"]
    assert topics[-2:] == ["opportunities", "seals"]
    assert done.stderr == ""


async def test_a_fault_is_reported_with_a_fix_that_works(production: Commands, database: Database) -> None:
    await database.execute("ALTER TABLE opportunities DISABLE TRIGGER feed_capture_update")
    status, findings = run_doctor(production)
    assert (status, problems(findings)) == (PROBLEMS, {*WITHOUT_SERVICES, "triggers"})
    assert findings["triggers"]["found"] == "feed_capture_update on opportunities is disabled"
    done = production.run("doctor")
    assert done.returncode == PROBLEMS
    (fix,) = (line for line in done.stdout.splitlines() if line.startswith("triggers: "))
    async with await database.connect() as conn:
        await run_fix(conn, fix.removeprefix("triggers: "))
    assert problems(run_doctor(production)[1]) == WITHOUT_SERVICES


def test_a_database_without_boardcast(commands: Commands, empty_database: Database) -> None:
    commands.env["DATABASE_URL"] = empty_database.url
    status, findings = run_doctor(commands)
    assert (status, problems(findings)) == (PROBLEMS, {"installed"})
    commands.output(*shlex.split(findings["installed"]["fix"])[1:])
    assert problems(run_doctor(commands)[1]) == WITHOUT_SERVICES


def test_a_standby(commands: Commands, own_server: EmbeddedPostgres, binaries: Path | None) -> None:
    with standby_of(own_server, SERVER_SETTINGS, binaries=binaries) as standby:
        wait_for_replay(own_server, standby)
        commands.env["DATABASE_URL"] = own_server.url()
        status, findings = run_doctor(commands, BOARDCAST_REPLICA_URL=standby.url())
        assert (status, problems(findings)) == (PROBLEMS, WITHOUT_SERVICES)
        assert findings["replica"]["status"] == "ok"

        status, findings = run_doctor(commands, DATABASE_URL=standby.url())
        assert (status, problems(findings)) == (PROBLEMS, {"primary", "LISTEN", "health"})
        assert (findings["primary"]["status"], findings["health"]["status"]) == ("bad", "unknown")
        assert "cannot execute LISTEN during recovery" in findings["LISTEN"]["found"]
        status, findings = run_doctor(commands, LISTEN_DATABASE_URL=standby.url())
        assert (status, problems(findings)) == (PROBLEMS, {*WITHOUT_SERVICES, "LISTEN"})

        _, findings = run_doctor(commands, BOARDCAST_REPLICA_URL=own_server.url())
        assert findings["replica"] | {"found": "", "fix": ""} == {
            "topic": "replica",
            "status": "bad",
            "found": "",
            "fix": "",
        }
        stopped_url = standby.url()
    _, findings = run_doctor(commands, BOARDCAST_REPLICA_URL=stopped_url)
    assert findings["replica"]["status"] == "warning"


@pytest.mark.parametrize("size", [1, 3])
async def test_a_pooler_in_transaction_mode(commands: Commands, database: Database, size: int) -> None:
    listen = free_port()
    with pooling(database, listen, size=size):
        await until(lambda: not is_free(listen), timeout=10, what="pgbouncer")
        pooled = f"postgresql://anybody@127.0.0.1:{listen}/crm"
        status, findings = run_doctor(commands, DATABASE_URL=pooled)
        assert (status, problems(findings)) == (PROBLEMS, {*WITHOUT_SERVICES, "pooler", "LISTEN"})
        assert findings["pooler"]["fix"].startswith("export LISTEN_DATABASE_URL=")
        status, findings = run_doctor(commands, DATABASE_URL=pooled, LISTEN_DATABASE_URL=database.url)
        assert (status, problems(findings)) == (PROBLEMS, WITHOUT_SERVICES)
        assert findings["pooler"]["found"].endswith("LISTEN uses LISTEN_DATABASE_URL")
        status, findings = run_doctor(commands, DATABASE_URL=database.url, LISTEN_DATABASE_URL=pooled)
        assert problems(findings) == {*WITHOUT_SERVICES, "LISTEN"}


async def test_a_pooler_in_session_mode(commands: Commands, database: Database) -> None:
    listen = free_port()
    with pooling(database, listen, mode="session"):
        await until(lambda: not is_free(listen), timeout=10, what="pgbouncer")
        _, findings = run_doctor(commands, DATABASE_URL=f"postgresql://anybody@127.0.0.1:{listen}/crm")
    assert problems(findings) == WITHOUT_SERVICES
    assert findings["pooler"]["found"] == "a pooler in session mode"


def test_a_listen_connection_to_another_database(production: Commands, other_database: Database) -> None:
    _, findings = run_doctor(production, LISTEN_DATABASE_URL=other_database.url)
    assert problems(findings) == {*WITHOUT_SERVICES, "LISTEN"}
    assert "another database" in findings["LISTEN"]["found"]
    unreachable = f"postgresql://u:hunter2@127.0.0.1:{free_port()}/d"
    status, findings = run_doctor(production, LISTEN_DATABASE_URL=unreachable)
    assert (status, problems(findings)) == (PROBLEMS, {*WITHOUT_SERVICES, "LISTEN"})
    assert "Connection refused" in findings["LISTEN"]["found"]
    assert "hunter2" not in str(findings)


def test_an_unreachable_database(commands: Commands) -> None:
    status, message = commands.fails("doctor", DATABASE_URL=f"postgresql://u:hunter2@127.0.0.1:{free_port()}/d")
    assert (status, "Connection refused" in message, "hunter2" in message) == (DATABASE, True, False)


def test_a_server_that_does_not_answer(commands: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/d"
        status, message = commands.fails("doctor", DATABASE_URL=url)
    assert (status, "timeout" in message) == (DATABASE, True), message


async def test_a_connection_that_hangs_during_the_checks(commands: Commands, database: Database) -> None:
    async with Proxy.for_url(database.url) as proxy, await database.connect() as conn:
        await conn.execute("BEGIN")
        await conn.execute("LOCK feed.pacer IN ACCESS EXCLUSIVE MODE")
        doctor = asyncio.create_task(
            asyncio.to_thread(commands.fails, "doctor", DATABASE_URL=proxy.rewrite_url(database.url))
        )

        async def is_waiting() -> bool:
            found = await database.execute(
                "SELECT FROM pg_stat_activity WHERE application_name = 'boardcast-doctor' AND wait_event_type = 'Lock'"
            )
            return bool(found)

        await until(is_waiting, timeout=20)
        proxy.hang()
        status, message = await doctor
        assert status == DATABASE, message


async def test_the_doctor_does_not_wait_for_locks(production: Commands, database: Database) -> None:
    async with await database.connect() as conn:
        await conn.execute("BEGIN")
        await conn.execute("LOCK feed.pacer IN ACCESS EXCLUSIVE MODE")
        _, findings = await asyncio.to_thread(run_doctor, production)
    for topic in ("schema", "health"):
        assert findings[topic]["status"] == "unknown"
        assert findings[topic]["found"].startswith("no answer within 5 s")


@pytest.mark.parametrize(
    ("groups", "missing"),
    [
        ((), {"rights", "health", "revision"}),
        (("feed_listener",), {"health"}),
        (("feed_dba",), WITHOUT_SERVICES),
        (("feed_app",), {*WITHOUT_SERVICES, "transactions"}),
    ],
)
def test_a_role_with_few_privileges(
    production: Commands, database: Database, groups: tuple[str, ...], missing: set[str]
) -> None:
    with login(database, *groups) as url:
        _, findings = run_doctor(production, DATABASE_URL=url)
        assert problems(findings) == missing
        if "health" in missing:
            role = url.split("/")[2].split(":")[0]
            assert findings["health"]["fix"] == f'GRANT feed_dba TO "{role}"; -- lets this role read schema feed'
        if not groups:
            assert findings["rights"]["fix"].startswith(
                f'GRANT feed_dba TO "{role}"; -- for monitoring; feed_app for boardcast api'
            )


async def test_a_missing_privilege_is_reported(production: Commands, database: Database) -> None:
    with login(database) as url:
        async with await database.connect() as conn:
            role = sql.Identifier(url.split("/")[2].split(":")[0])
            await conn.execute(sql.SQL("GRANT feed_listener TO {}").format(role))
            await conn.execute(sql.SQL("REVOKE SELECT ON feed.board_members FROM feed_listener"))
            await conn.execute(sql.SQL("GRANT SELECT ON feed.board_members TO feed_app"))
        _, findings = run_doctor(production, DATABASE_URL=url)
    assert "boardcast feed: yes" in findings["rights"]["found"]
    assert "boardcast api: no, it lacks" in findings["rights"]["found"]


async def test_group_roles_without_grants(production: Commands, database: Database) -> None:
    """This happens if a dump is restored before the roles exist."""
    async with await database.connect() as conn:
        await conn.execute("DROP OWNED BY feed_listener")
    _, findings = run_doctor(production)
    assert problems(findings) == {*WITHOUT_SERVICES, "rights", "schema"}
    assert "of feed_listener is missing" in findings["schema"]["found"]
    assert (
        "boardcast feed: unknown, because role feed_listener is missing or has no grants" in findings["rights"]["found"]
    )


async def test_harmful_settings(production: Commands, database: Database) -> None:
    name = sql.Identifier(database.name)
    async with await database.connect() as conn:
        for setting, value in {"default_transaction_read_only": "on", "session_replication_role": "replica"}.items():
            await conn.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.Identifier(setting), value))
        _, findings = run_doctor(production)
        found = findings["settings"]
        assert "default_transaction_read_only is on: nobody can write" in found["found"]
        assert "session_replication_role is replica: writes are not logged" in found["found"]
        # Not the fixes for settings that the tests' server is started with.
        await run_fix(conn, ";".join(fix for fix in found["fix"].split(";") if "ALTER DATABASE" in fix))
        left = run_doctor(production)[1]["settings"]["found"]
        assert "nobody can write" not in left
        assert "writes are not logged" not in left


def test_the_doctor_writes_nothing(production: Commands, database: Database) -> None:
    """In a read-only session all checks still work, and the setting is reported."""
    _, findings = run_doctor(production, PGOPTIONS="-c default_transaction_read_only=on")
    assert problems(findings) == WITHOUT_SERVICES
    assert findings["settings"]["status"] == "bad"
    assert "default_transaction_read_only is on: nobody can write" in findings["settings"]["found"]
    assert "unset PGOPTIONS" in findings["settings"]["fix"]


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (140012, "bad"),
        (150015, "warning"),
        (150016, "ok"),
        (160011, "warning"),
        (160012, "ok"),
        (170007, "warning"),
        (170008, "ok"),
        (180001, "warning"),
        (180002, "ok"),
        (190000, "unknown"),
    ],
)
def test_versions(number: int, status: str) -> None:
    finding = db_doctor.version(number)
    assert (finding.status, finding.fix is None) == (status, status in {"ok", "unknown"})


@pytest.mark.parametrize(
    ("ahead", "bound", "status"),
    [(0.2, 0.1, "ok"), (-0.9, 0.1, "ok"), (1.5, 0.2, "warning"), (-5, 4.5, "ok"), (-7, 1, "warning")],
)
def test_clocks(ahead: float, bound: float, status: str) -> None:
    assert checks.clock(ClockOffset(ahead, bound)).status == status


@pytest.mark.parametrize(
    ("address", "tls", "status"),
    [
        ("", False, "ok"),
        ("127.0.0.1", False, "ok"),
        ("::1", False, "ok"),
        ("192.0.2.1", True, "ok"),
        ("192.0.2.1", False, "warning"),
    ],
)
def test_unencrypted_connections(address: str, tls: bool, status: str) -> None:
    conn = Mock()
    conn.info.hostaddr, conn.info.host, conn.info.port, conn.pgconn.ssl_in_use = address, "db", 5432, tls
    server_info = db_doctor.Server(180002, False, True, True, "maria", "crm", None, None)
    assert checks.connection("database", conn, server_info).status == status


def test_a_partly_dropped_schema_is_bad_and_restored_by_the_fix(production: Commands, database: Database) -> None:
    for statement, name in (
        ("DROP VIEW feed.health", "view feed.health is missing"),
        ("DROP TABLE feed.instances CASCADE", "table feed.instances is missing"),
        ("DROP TABLE feed.log CASCADE", "table feed.log is missing"),
        ("DROP SEQUENCE feed.partition_number CASCADE", "sequence feed.partition_number is missing"),
        ("DROP FUNCTION feed.trigger_arguments CASCADE", "function feed.trigger_arguments(tgargs bytea"),
        ("ALTER TABLE feed.flags DROP COLUMN percentage CASCADE", "column feed.flags.percentage is missing"),
        ("DROP TABLE feed.maintenance, feed.identity CASCADE", "table feed.identity is missing"),
    ):
        with psycopg.connect(database.url, autocommit=True) as conn:
            conn.execute(statement.encode())
        status, findings = run_doctor(production)
        assert status == PROBLEMS
        assert (findings["schema"]["status"], name in findings["schema"]["found"]) == ("bad", True), findings["schema"]
        assert "unknown" not in {each["status"] for topic, each in findings.items() if topic not in WITHOUT_SERVICES}
        assert findings["schema"]["fix"].startswith("boardcast migrate")
        assert production.run("migrate").returncode == 0
        assert problems(run_doctor(production)[1]) == WITHOUT_SERVICES


@pytest.mark.parametrize(
    ("statement", "topic", "found"),
    [
        ("DROP SCHEMA feed CASCADE", "installed", "boardcast is not installed in this database"),
        ("DROP TABLE feed.log, feed.identity, feed.attached CASCADE", "revision", "the log was dropped"),
    ],
)
def test_what_was_dropped_as_a_whole_is_created_again(
    production: Commands, database: Database, statement: str, topic: str, found: str
) -> None:
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute(statement.encode())
    status, findings = run_doctor(production)
    assert (status, findings[topic]["found"]) == (PROBLEMS, found)
    status, message = production.fails("verify")
    assert (status, message.startswith(f"{found}: run `boardcast migrate`")) == (DATABASE, True), message
    assert production.run("migrate").returncode == 0
    assert problems(run_doctor(production)[1]) == WITHOUT_SERVICES


def test_another_revision_is_refused_by_the_doctor_and_by_all_commands(
    production: Commands, database: Database
) -> None:
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute("UPDATE feed.alembic_version SET version_num = '9999'")
    status, findings = run_doctor(production)
    assert (status, findings["revision"]["status"]) == (PROBLEMS, "bad")
    for command in (
        ["verify"],
        ["log"],
        ["feed"],
        ["api"],
        ["flags"],
        ["attach", "users"],
        ["prune", "--older-than", "1d"],
    ):
        status, message = production.fails(*command)
        assert (status, message.startswith("the database has schema revision 9999")) == (DATABASE, True), command
