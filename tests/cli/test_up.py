"""`boardcast up` runs everything in one process and leaves nothing behind."""

import os
import re
import signal
import sys
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from cli.failures import UNAVAILABLE
from db.embedded import postmaster
from db.embedded.server import EmbeddedPostgres
from tests.cli.harness import READY, Commands, Service
from tests.support.database import Database
from tests.support.streams import Client, EventStreamClient, WebSocketClient
from tests.support.until import until


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def data_of(commands: Commands) -> Path:
    return commands.folder / ".boardcast" / "postgres" / "data"


def without_password(url: str) -> str:
    return re.sub(r"(?<=\w):[^@/]+@", "@", url)


def nothing_is_left(commands: Commands) -> bool:
    return not postmaster.children(data_of(commands)) and not (data_of(commands) / "postmaster.pid").exists()


async def follow(service: Service, commands: Commands) -> list[Client]:
    """Open one live client per transport."""
    token = commands.output("token", "ana")
    bearer = {"Authorization": f"Bearer {token}"}
    clients: list[Client] = [
        await WebSocketClient.connect(port_of(service.feed), token, "ana"),
        await EventStreamClient.connect(port_of(service.feed), "/sse", headers=bearer),
        await EventStreamClient.connect(port_of(service.api), "/api/events", headers=bearer),
    ]
    for client in clients:
        await client.next("auth_success")
    return clients


def test_only_the_ready_line_is_printed(commands: Commands) -> None:
    with commands.serving("up") as up:
        assert READY.fullmatch(up.ready_line)
        assert httpx.get(f"{up.api}/readyz").json()["status"] == "ready"
        assert httpx.get(f"{up.feed}/readyz").json()["status"] == "ready"
        database = commands.output("database")
        assert up.database == without_password(database)
        with closing(psycopg.connect(database)) as conn:
            assert conn.execute("SELECT count(*) FROM feed.boards").fetchone() == (2,)
        up.stop()
        assert up.process.stdout is not None
        assert up.process.stdout.read() == ""
        assert up.process.returncode == 0
    assert nothing_is_left(commands)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_up_stops_quickly_with_open_streams(started_before: Commands, signum: signal.Signals) -> None:
    with started_before.serving("up") as up:
        clients = await follow(up, started_before)
        seconds = up.stop(signum)
        assert (up.process.returncode, seconds < 5) == (0, True), seconds
        for client in clients:
            assert (await client.next("goodbye")).body["reason"] == "restart"
            await client.wait_closed()
            await client.close()
    assert nothing_is_left(started_before)


async def test_up_stops_quickly_with_a_client_that_does_not_read(started_before: Commands) -> None:
    with started_before.serving("up") as up:
        clients = await follow(up, started_before)
        for client in clients:
            client.pause()
        with closing(psycopg.connect(started_before.output("database"), autocommit=True)) as conn:
            for _ in range(6):
                conn.execute("UPDATE opportunities SET notes = md5(random()::text) || repeat('x', 60000)")
        seconds = up.stop()
        assert (up.process.returncode, seconds < 8) == (0, True), seconds
        for client in clients:
            await client.close()
    assert nothing_is_left(started_before)


async def test_a_second_signal_stops_up_immediately(started_before: Commands) -> None:
    with started_before.serving("up") as up:
        with closing(psycopg.connect(started_before.output("database"))) as busy:
            busy.execute("SELECT 1")
            os.kill(up.process.pid, signal.SIGSTOP)  # both signals are pending when it continues
            up.process.send_signal(signal.SIGTERM)
            up.process.send_signal(signal.SIGINT)
            os.kill(up.process.pid, signal.SIGCONT)
            assert up.process.wait(2) in {128 + signal.SIGINT, 128 + signal.SIGTERM}
        await until(lambda: nothing_is_left(started_before), timeout=10)


@pytest.mark.parametrize("reached", ["postgres/lock", "postgres/data/postmaster.pid", "postgres/data/PG_VERSION"])
async def test_a_signal_during_the_start_leaves_nothing(commands: Commands, reached: str) -> None:
    process = commands.start("up")
    await until((commands.folder / ".boardcast" / reached).exists, timeout=30)
    process.terminate()
    assert process.wait(15) == 0
    assert process.communicate()[0] == ""
    assert nothing_is_left(commands)
    with commands.serving("up"):
        pass


def test_data_survives_a_restart(commands: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    with commands.serving("up") as up:
        first, database = up.seconds, up.database
        with closing(psycopg.connect(commands.output("database"), autocommit=True)) as conn:
            conn.execute("DELETE FROM opportunities WHERE board_id = 'parcerias'")
    with commands.serving("up") as up:
        assert up.database == database
        with closing(psycopg.connect(commands.output("database"))) as conn:
            assert conn.execute("SELECT count(*) FROM opportunities").fetchone() == (15,)
        second = up.seconds
    with capsys.disabled():
        sys.stdout.write(f"\nboardcast up: ready in {first:.1f} s at first, in {second:.1f} s again\n")


def test_up_starts_after_it_was_killed(started_before: Commands) -> None:
    with started_before.serving("up") as up:
        up.stop(signal.SIGKILL)
    with started_before.serving("up") as up:
        assert httpx.get(f"{up.api}/readyz").json()["status"] == "ready"
    assert nothing_is_left(started_before)


async def test_a_killed_postgresql_is_restarted(started_before: Commands) -> None:
    with started_before.serving("up") as up:
        stream, *others = reversed(await follow(up, started_before))
        pid = postmaster.pid_of(data_of(started_before))
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: postmaster.pid_of(data_of(started_before)) not in {None, pid}, timeout=20)
        await until(lambda: EmbeddedPostgres(data_of(started_before).parent).is_running(), timeout=20)
        with closing(psycopg.connect(started_before.output("database"), autocommit=True)) as conn:
            conn.execute(
                "UPDATE opportunities SET phase = 'won' WHERE id = (SELECT min(id) FROM opportunities WHERE phase <> 'won')"
            )
        assert (await stream.next("opportunity_moved", timeout=20)).body["toPhase"] == "won"
        for client in (stream, *others):
            await client.close()
    assert nothing_is_left(started_before)


def test_a_second_up_in_one_directory_is_refused(started_before: Commands) -> None:
    with started_before.serving("up") as up:
        status, message = started_before.fails("up")
        assert (status, f"in use by process {up.process.pid}" in message) == (UNAVAILABLE, True)
        assert httpx.get(f"{up.api}/readyz").json()["status"] == "ready"


def test_an_ephemeral_database_is_removed(commands: Commands) -> None:
    with commands.serving("up", "--ephemeral") as up:
        token = commands.output("token", "ana")
        answer = httpx.get(f"{up.api}/api/boards", headers={"Authorization": f"Bearer {token}"})
        assert [board["id"] for board in answer.json()["boards"]] == ["vendas", "parcerias"]
        with closing(psycopg.connect(up.database)) as conn:
            row = conn.execute("SELECT current_setting('data_directory')").fetchone()
            assert row is not None
            data = Path(row[0])
    assert not data.parent.parent.exists()
    assert not data_of(commands).exists()


def test_up_with_a_database_url(commands: Commands, empty_database: Database) -> None:
    with commands.serving("up", DATABASE_URL=empty_database.url, BOARDCAST_DEMO="true") as up:
        assert up.database == without_password(empty_database.url)
        with closing(psycopg.connect(empty_database.url)) as conn:
            assert conn.execute("SELECT count(*) FROM opportunities").fetchone() == (24,)
        assert httpx.post(f"{up.api}/api/auth/token", json={"user": "ana"}).status_code == 200
    assert not data_of(commands).exists()


def test_a_database_of_ones_own_has_no_sign_in_by_name(commands: Commands, database: Database) -> None:
    commands.env["DATABASE_URL"] = database.url
    with commands.serving("up") as up:
        assert httpx.post(f"{up.api}/api/auth/token", json={"user": "ana"}).status_code == 404
        token = commands.output("token", "ana")
        assert httpx.get(f"{up.api}/api/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        with closing(psycopg.connect(database.url)) as conn:
            assert conn.execute("SELECT count(*) FROM feed.boards").fetchone() == (0,)


def test_a_database_with_users_gets_no_demo(commands: Commands, empty_database: Database) -> None:
    with closing(psycopg.connect(empty_database.url, autocommit=True)) as conn:
        conn.execute("CREATE TABLE users (id varchar PRIMARY KEY, password text NOT NULL)")
        conn.execute("INSERT INTO users VALUES ('zeca', 'x')")
        with commands.serving("up", DATABASE_URL=empty_database.url, BOARDCAST_DEMO="true"):
            assert conn.execute("SELECT array_agg(id::text) FROM users").fetchone() == (["zeca"],)
            assert conn.execute("SELECT count(*) FROM feed.boards").fetchone() == (0,)


@pytest.mark.parametrize("arguments", [["--no-demo"], []])
def test_without_the_demo(production: Commands, database: Database, arguments: list[str]) -> None:
    production.env |= {} if arguments else {"BOARDCAST_DEMO": "false"}
    with production.serving("up", *arguments) as up:
        assert httpx.post(f"{up.api}/api/auth/token", json={"user": "ana"}).status_code == 404
        with closing(psycopg.connect(database.url)) as conn:
            assert conn.execute("SELECT count(*) FROM feed.boards").fetchone() == (0,)
