"""The embedded server: created at the first start, started and stopped with this process, on a loopback port only.

A lock in its directory lets one process at a time run it. Whatever the last run left behind, such as a stale pid file or a server
that outlived its parent, is cleared under that lock.
"""

import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from db import sqlfiles
from db.embedded import cluster, loopback, postmaster
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, major_version, runnable_binaries
from db.embedded.errors import EmbeddedError
from db.embedded.home import Home

USER = "boardcast"
DATABASE = "boardcast"
LOG_LIMIT = 10 * 1024 * 1024
START_PATIENCE = 60.0
STOP_PATIENCE = 30.0
ATTEMPTS = 3
_TUNED = {"shared_buffers": "512MB", "max_wal_size": "4GB", "track_commit_timestamp": "on"}
"""What a server with many writes needs: a large transaction stays in memory until it is read, and no checkpoint comes in the middle
of it, after which each of its pages would be written to the WAL once more. Both are limits, not allocated in advance. Commit
timestamps are for feed.explain."""


@contextmanager
def ephemeral_postgres(
    settings: Mapping[str, str] | None = None, *, binaries: Path | None = None, within: Path | None = None
) -> "Iterator[EmbeddedPostgres]":
    """Run a server whose data are deleted afterwards. `within` is a directory for them, instead of the system's temporary one."""
    with tempfile.TemporaryDirectory(prefix="boardcast-", dir=within) as folder:
        Path(folder).chmod(0o711)  # created as 0700: the server's account has to pass through
        with EmbeddedPostgres(Path(folder, "postgres"), settings=settings, binaries=binaries) as server:
            yield server


class EmbeddedPostgres:
    """The cluster in `data_dir`; nothing is touched before `start()`."""

    def __init__(
        self, data_dir: Path, *, settings: Mapping[str, str] | None = None, binaries: Path | None = None
    ) -> None:
        self._home = Home(data_dir)
        self._data = self.home / "data"
        self._settings = dict(settings or {})
        self._binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def home(self) -> Path:
        return self._home.path

    @property
    def port(self) -> int:
        """The port, the same as in the last run if it is still free."""
        return int(self._home.read("port"))

    @property
    def pid(self) -> int:
        if self._process is None:
            raise EmbeddedError(f"the server in {self.home} is not running: start it first")
        return self._process.pid

    @property
    def died(self) -> bool:
        """Whether the server that was started here has ended by itself; `start()` restarts it."""
        return self._process is not None and self._process.poll() is not None

    def is_running(self) -> bool:
        """Whether a server runs on this directory, whichever process started it."""
        pid = postmaster.pid_of(self._data)
        return pid is not None and postmaster.is_ready(self._data, pid) and postmaster.serves(pid, self._data)

    @property
    def log(self) -> Path:
        return self.home / "log"

    def url(self, database: str = DATABASE) -> str:
        """The address with its password; also of a server that another process runs on this directory."""
        return f"postgresql://{USER}:{self._home.read('password')}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, and return when it accepts connections. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            return
        account = Account.choose()
        self._home.create(account)
        self._home.lock()
        try:
            binaries = runnable_binaries(self._binaries or find_binaries(), account)
            postmaster.end_earlier(self._data)
            self._create_cluster(binaries, account)
            self._run(binaries, account)
            self._create_database()
        except BaseException:
            self.stop("immediate")
            raise

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, `fast` (open transactions are rolled back) or `immediate` (as in a crash)."""
        sign = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
        if self._process is not None:
            for each in (sign, signal.SIGQUIT, signal.SIGKILL):
                self._process.send_signal(each)
                try:
                    self._process.wait(STOP_PATIENCE)
                    break
                except subprocess.TimeoutExpired:
                    continue
            self._process = None
        self._home.unlock()

    def kill(self) -> None:
        """Kill the server, as a power cut would. The lock is kept, and `start()` restarts the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _create_cluster(self, binaries: Path, account: Account) -> None:
        version = major_version(binaries)
        if self._data.exists():
            made_by = (self._data / "PG_VERSION").read_text().strip()
            if made_by != str(version):
                raise EmbeddedError(
                    f"the data in {self.home} were made by PostgreSQL {made_by}, but {binaries} is version {version}: "
                    f"set PG_BIN to the programs of version {made_by}, or BOARDCAST_DATA_DIR to another directory"
                )
            return
        self._home.keep("password", secrets.token_urlsafe(24))
        cluster.create(
            self._data,
            binaries=binaries,
            account=account,
            user=USER,
            password=self._home.read("password"),
            sync=self._settings.get("fsync") != "off",
        )

    def _run(self, binaries: Path, account: Account) -> None:
        """Start the postmaster. Another process may take the port before it binds; then choose again."""
        for _ in range(ATTEMPTS):
            self._home.keep("port", str(loopback.free_port(self._last_port())))
            options = {
                "listen_addresses": "127.0.0.1",
                "port": str(self.port),
                "unix_socket_directories": "",
                "logging_collector": "off",
                **_TUNED,
            } | self._settings
            if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
                self.log.unlink()
            self.log.touch(mode=0o600)  # errors quote statements, and so data
            with self.log.open("ab") as log:
                before = log.tell()
                self._process = account.spawn(
                    [
                        binaries / "postgres",
                        *("-D", self._data),
                        *(f"--{name}={value}" for name, value in options.items()),
                    ],
                    output=log,
                    env=cluster.environment(),
                )
            if self._became_ready(self._process):
                return
            if self._process.poll() is None or loopback.is_free(self.port):
                break  # too slow, or ended for another reason
        with self.log.open("rb") as log:
            log.seek(before)
            printed = log.read().decode(errors="replace").strip()
        raise EmbeddedError(f"PostgreSQL did not start in {self.home}:\n{printed[-2000:]}")

    def _became_ready(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            if postmaster.is_ready(self._data, process.pid):
                return True
            time.sleep(postmaster.POLL)
        return False

    def _create_database(self) -> None:
        address = self.url("postgres")
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:  # noqa: TID251 - no network
            if connection.execute(sqlfiles.sql("queries/database_exists"), {"name": DATABASE}).fetchone() is None:
                create = sql.SQL(sqlfiles.sql("queries/create_database"))
                connection.execute(create.format(name=sql.Identifier(DATABASE)))

    def _last_port(self) -> int | None:
        return self.port if self._home.has("port") else None
