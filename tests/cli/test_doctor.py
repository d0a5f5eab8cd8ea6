"""`boardcast doctor` against real faults: each is named, with a fix that works; what cannot be looked at is said to be unknown."""

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
from db import doctor as asking
from db.embedded.loopback import free_port, is_free
from db.embedded.server import EmbeddedPostgres
from tests.cli.harness import Commands
from tests.cli.test_pooler import pooling
from tests.conftest import SERVER_SETTINGS
from tests.db.test_health import paste
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.standby import caught_up, standby_of
from tests.support.until import until

ALONE = {"instances", "listeners", "log reads", "lag"}
"""What is not well where no service runs."""
TOLERATED = {"settings", "disk"}
"""The tests' own server does without fsync, and their machine may be full."""


def examined(commands: Commands, **env: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status, and the findings by their topics."""
    done = commands.run("doctor", "--json", **env)
    assert done.stderr == ""
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(each) == {"topic", "status", "found", "fix"} for each in findings)
    return done.returncode, {each["topic"]: each for each in findings}


def unwell(findings: dict[str, dict[str, Any]]) -> set[str]:
    return {topic for topic, each in findings.items() if each["status"] != "ok"} - TOLERATED


@contextmanager
def login(database: Database, *groups: str) -> Iterator[str]:
    """The database's address for a role of its own in these groups."""
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


async def test_all_is_well(commands: Commands) -> None:
    with commands.serving("up"):

        def well() -> bool:
            status, findings = examined(commands)
            return status == OK and not unwell(findings)

        await until(well, timeout=30)
        done = commands.run("doctor")
    topics = [line.split("  ")[0] for line in done.stdout.splitlines()]
    assert topics[:8] == ["topic", "database", "primary", "version", "clock", "pooler", "LISTEN", "settings"]
    assert topics[-1] == "ownership"
    assert done.stderr == ""


async def test_what_is_not_well_is_a_status_and_a_cure(production: Commands, database: Database) -> None:
    await database.execute("ALTER TABLE opportunities DISABLE TRIGGER feed_capture_update")
    status, findings = examined(production)
    assert (status, unwell(findings)) == (PROBLEMS, {*ALONE, "triggers"})
    assert findings["triggers"]["found"] == "feed_capture_update on opportunities is disabled"
    done = production.run("doctor")
    assert done.returncode == PROBLEMS
    (fix,) = (line for line in done.stdout.splitlines() if line.startswith("triggers: "))
    async with await database.connect() as conn:
        await paste(conn, fix.removeprefix("triggers: "))
    assert unwell(examined(production)[1]) == ALONE


def test_a_database_without_boardcast(commands: Commands, empty_database: Database) -> None:
    commands.env["DATABASE_URL"] = empty_database.url
    status, findings = examined(commands)
    assert (status, unwell(findings)) == (PROBLEMS, {"installed"})
    commands.output(*shlex.split(findings["installed"]["fix"])[1:])
    assert unwell(examined(commands)[1]) == ALONE


def test_a_standby(commands: Commands, own_server: EmbeddedPostgres, binaries: Path | None) -> None:
    with standby_of(own_server, SERVER_SETTINGS, binaries=binaries) as standby:
        caught_up(own_server, standby)
        commands.env["DATABASE_URL"] = own_server.url()
        status, findings = examined(commands, BOARDCAST_REPLICA_URL=standby.url())
        assert (status, unwell(findings)) == (PROBLEMS, ALONE)
        assert findings["replica"]["status"] == "ok"

        status, findings = examined(commands, DATABASE_URL=standby.url())
        assert (status, unwell(findings)) == (PROBLEMS, {"primary", "LISTEN", "health"})
        assert (findings["primary"]["status"], findings["health"]["status"]) == ("bad", "unknown")
        assert "cannot execute LISTEN during recovery" in findings["LISTEN"]["found"]
        status, findings = examined(commands, LISTEN_DATABASE_URL=standby.url())
        assert (status, unwell(findings)) == (PROBLEMS, {*ALONE, "LISTEN"})

        _, findings = examined(commands, BOARDCAST_REPLICA_URL=own_server.url())
        assert findings["replica"] | {"found": "", "fix": ""} == {
            "topic": "replica",
            "status": "bad",
            "found": "",
            "fix": "",
        }
        gone = standby.url()
    _, findings = examined(commands, BOARDCAST_REPLICA_URL=gone)
    assert findings["replica"]["status"] == "warning"


@pytest.mark.parametrize("size", [1, 3])
async def test_a_pooler_in_transaction_mode(commands: Commands, database: Database, size: int) -> None:
    listen = free_port()
    with pooling(database, listen, size=size):
        await until(lambda: not is_free(listen), timeout=10, what="pgbouncer")
        pooled = f"postgresql://anybody@127.0.0.1:{listen}/crm"
        status, findings = examined(commands, DATABASE_URL=pooled)
        assert (status, unwell(findings)) == (PROBLEMS, {*ALONE, "pooler", "LISTEN"})
        assert findings["pooler"]["fix"].startswith("export LISTEN_DATABASE_URL=")
        status, findings = examined(commands, DATABASE_URL=pooled, LISTEN_DATABASE_URL=database.url)
        assert (status, unwell(findings)) == (PROBLEMS, ALONE)
        assert findings["pooler"]["found"].endswith("LISTEN uses LISTEN_DATABASE_URL")
        status, findings = examined(commands, DATABASE_URL=database.url, LISTEN_DATABASE_URL=pooled)
        assert unwell(findings) == {*ALONE, "LISTEN"}


async def test_a_pooler_that_keeps_sessions(commands: Commands, database: Database) -> None:
    listen = free_port()
    with pooling(database, listen, mode="session"):
        await until(lambda: not is_free(listen), timeout=10, what="pgbouncer")
        _, findings = examined(commands, DATABASE_URL=f"postgresql://anybody@127.0.0.1:{listen}/crm")
    assert unwell(findings) == ALONE
    assert findings["pooler"]["found"] == "a pooler in session mode"


def test_a_connection_to_listen_that_leads_elsewhere(production: Commands, other_database: Database) -> None:
    _, findings = examined(production, LISTEN_DATABASE_URL=other_database.url)
    assert unwell(findings) == {*ALONE, "LISTEN"}
    assert "another database" in findings["LISTEN"]["found"]
    nowhere = f"postgresql://u:hunter2@127.0.0.1:{free_port()}/d"
    status, findings = examined(production, LISTEN_DATABASE_URL=nowhere)
    assert (status, unwell(findings)) == (PROBLEMS, {*ALONE, "LISTEN"})
    assert "Connection refused" in findings["LISTEN"]["found"]
    assert "hunter2" not in str(findings)


def test_a_database_that_is_not_there(commands: Commands) -> None:
    status, said = commands.fails("doctor", DATABASE_URL=f"postgresql://u:hunter2@127.0.0.1:{free_port()}/d")
    assert (status, "Connection refused" in said, "hunter2" in said) == (DATABASE, True, False)


def test_a_server_that_does_not_answer(commands: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/d"
        status, said = commands.fails("doctor", DATABASE_URL=url)
    assert (status, "timeout" in said) == (DATABASE, True), said


async def test_a_network_that_goes_silent_meanwhile(commands: Commands, database: Database) -> None:
    async with Proxy.before(database.url) as proxy, await database.connect() as conn:
        await conn.execute("BEGIN")
        await conn.execute("LOCK feed.pacer IN ACCESS EXCLUSIVE MODE")
        looking = asyncio.create_task(
            asyncio.to_thread(commands.fails, "doctor", DATABASE_URL=proxy.through(database.url))
        )

        async def asked() -> bool:
            found = await database.execute(
                "SELECT FROM pg_stat_activity WHERE application_name = 'boardcast-doctor' AND wait_event_type = 'Lock'"
            )
            return bool(found)

        await until(asked, timeout=20)
        proxy.hang()
        status, said = await looking
        assert status == DATABASE, said


async def test_a_lock_is_not_waited_for(production: Commands, database: Database) -> None:
    async with await database.connect() as conn:
        await conn.execute("BEGIN")
        await conn.execute("LOCK feed.pacer IN ACCESS EXCLUSIVE MODE")
        _, findings = await asyncio.to_thread(examined, production)
    assert findings["health"]["status"] == "unknown"
    assert findings["health"]["found"].startswith("no answer within 5 s")


@pytest.mark.parametrize(
    ("groups", "missing"),
    [
        ((), {"rights", "health"}),
        (("feed_listener",), {"health"}),
        (("feed_dba",), ALONE),
        (("feed_app",), {*ALONE, "transactions"}),
    ],
)
def test_a_role_with_few_rights(
    production: Commands, database: Database, groups: tuple[str, ...], missing: set[str]
) -> None:
    with login(database, *groups) as url:
        _, findings = examined(production, DATABASE_URL=url)
        assert unwell(findings) == missing
        if "health" in missing:
            role = url.split("/")[2].split(":")[0]
            assert findings["health"]["fix"] == f'GRANT feed_dba TO "{role}"; -- lets this role read schema feed'
        if not groups:
            assert findings["rights"]["fix"].startswith(
                f'GRANT feed_dba TO "{role}"; -- for monitoring; feed_app for boardcast api'
            )


async def test_a_right_that_is_lacking_is_named(production: Commands, database: Database) -> None:
    with login(database) as url:
        async with await database.connect() as conn:
            role = sql.Identifier(url.split("/")[2].split(":")[0])
            await conn.execute(sql.SQL("GRANT feed_listener TO {}").format(role))
            await conn.execute(sql.SQL("REVOKE SELECT ON board_members FROM feed_listener"))
            await conn.execute(sql.SQL("GRANT SELECT ON board_members TO feed_app"))
        _, findings = examined(production, DATABASE_URL=url)
    assert "boardcast feed: yes" in findings["rights"]["found"]
    assert "boardcast api: no, it lacks" in findings["rights"]["found"]


async def test_group_roles_that_were_granted_nothing(production: Commands, database: Database) -> None:
    """As after a dump that was restored before there were roles."""
    async with await database.connect() as conn:
        await conn.execute("DROP OWNED BY feed_listener")
    _, findings = examined(production)
    assert unwell(findings) == {*ALONE, "rights"}
    assert (
        "boardcast feed: unknown, because role feed_listener is missing or has no grants" in findings["rights"]["found"]
    )


async def test_settings_that_do_harm(production: Commands, database: Database) -> None:
    name = sql.Identifier(database.name)
    async with await database.connect() as conn:
        for setting, value in {"statement_timeout": "5s", "idle_session_timeout": "30s"}.items():
            await conn.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.Identifier(setting), value))
        _, findings = examined(production)
        found = findings["settings"]
        assert "statement_timeout is 5000: long reads of the log are canceled" in found["found"]
        assert "idle_session_timeout is 30000: sessions that only LISTEN are terminated" in found["found"]
        # Not those for what the tests' server is started with.
        await paste(conn, ";".join(fix for fix in found["fix"].split(";") if "ALTER DATABASE" in fix))
        assert "timeout" not in examined(production)[1]["settings"]["found"]


def test_nothing_is_written(production: Commands, database: Database) -> None:
    """Where nothing can be written, all that is looked at is still found; and that nobody can write, too."""
    _, findings = examined(production, PGOPTIONS="-c default_transaction_read_only=on")
    assert unwell(findings) == ALONE
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
    finding = asking.version(number)
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
def test_who_can_read_along(address: str, tls: bool, status: str) -> None:
    conn = Mock()
    conn.info.hostaddr, conn.info.host, conn.info.port, conn.pgconn.ssl_in_use = address, "db", 5432, tls
    here = asking.Server(180002, False, True, "maria", "crm", None, None)
    assert checks.connection("database", conn, here).status == status
