"""A PostgreSQL of our own: made at first start, started and stopped with us, reachable on a loopback port only.

One directory is one cluster, and a lock in it lets one process at a time run it. Whatever the last run left behind (a
stale pid file, a server that outlived us) is cleared under that lock: how the last run ended does not matter.
"""

import fcntl
import hashlib
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

import psycopg
from psycopg import sql

from db import cluster, loopback, pgbin, postmaster
from db.account import Account
from db.settings import Settings

USER = "boardcast"
DATABASE = "boardcast"
STATE = Path("/var/lib/boardcast")
LOG_LIMIT = 10 * 1024 * 1024
START_PATIENCE = 60.0
STOP_PATIENCE = 30.0
ATTEMPTS = 3
_TUNED = {"shared_buffers": "512MB", "max_wal_size": "4GB", "track_commit_timestamp": "on"}
"""What anybody sets who writes much: a great transaction stays in memory until it is read, and no checkpoint comes in its midst,
after which each of its pages is written to the WAL once more. Neither is taken before it is used. And when a transaction was
committed is kept, for feed.explain."""


class EmbeddedError(RuntimeError):
    """The embedded server cannot run here; the message says what to do about it."""


def cluster_dir(settings: Settings) -> Path:
    """Where the cluster of these settings lives: in the data directory, or in /var/lib where that is out of reach.

    As root the server has another account, which cannot enter a clone under /root. The default directory then moves;
    one that was asked for does not, and starting says what is wrong with it.
    """
    home = settings.data_dir.resolve() / "postgres"
    asked_for = "data_dir" in settings.model_fields_set
    if asked_for or Account.choose().reaches(_nearest(home)):
        return home
    return STATE / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


@contextmanager
def ephemeral(
    settings: Mapping[str, str] | None = None, *, binaries: Path | None = None, within: Path | None = None
) -> "Iterator[EmbeddedPostgres]":
    """Run a server whose data are gone afterwards; `within` is a folder for them other than the system's for such things."""
    with tempfile.TemporaryDirectory(prefix="boardcast-", dir=within) as folder:
        Path(folder).chmod(0o711)  # made 0700: the server's account has to pass through
        with EmbeddedPostgres(Path(folder, "postgres"), settings=settings, binaries=binaries) as server:
            yield server


class EmbeddedPostgres:
    """The cluster in `data_dir`; nothing is touched before `start()`."""

    def __init__(
        self, data_dir: Path, *, settings: Mapping[str, str] | None = None, binaries: Path | None = None
    ) -> None:
        self.home = data_dir.resolve()
        self._data = self.home / "data"
        self._settings = dict(settings or {})
        self._binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port, kept from the last run where it is still free."""
        return int(self._kept("port"))

    @property
    def pid(self) -> int:
        if self._process is None:
            raise EmbeddedError(f"the server in {self.home} is not started")
        return self._process.pid

    @property
    def died(self) -> bool:
        """Whether the server that was started here has ended by itself; `start()` brings it back."""
        return self._process is not None and self._process.poll() is not None

    def is_running(self) -> bool:
        """Whether a server runs on this directory, be it ours or another process's."""
        pid = postmaster.pid_of(self._data)
        return pid is not None and postmaster.is_ready(self._data, pid) and postmaster.serves(pid, self._data)

    @property
    def log(self) -> Path:
        return self.home / "log"

    def url(self, database: str = DATABASE) -> str:
        """The address with its password; also of a server that another process runs on this directory."""
        return f"postgresql://{USER}:{self._kept('password')}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Bring the server up and return when it takes connections; a no-op when it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        account = Account.choose()
        self._make_home(account)
        self._take_lock()
        try:
            binaries = pgbin.runnable(self._binaries or pgbin.find(), account)
            postmaster.end_earlier(self._data)
            self._make_cluster(binaries, account)
            self._run(binaries, account)
            self._make_database()
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
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """Kill the server as a power cut would; the directory stays ours, and `start()` brings it back."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _kept(self, name: str) -> str:
        try:
            return (self.home / name).read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(f"no server was ever started in {self.home}") from None

    def _make_home(self, account: Account) -> None:
        """Make the folder, passable but not readable for the account: only `data` within it belongs to that."""
        try:
            for folder in reversed([self.home, *self.home.parents]):
                if not folder.exists():
                    folder.mkdir()
                    folder.chmod(0o711)  # in spite of any umask: the account passes through
        except OSError as error:
            raise EmbeddedError(f"cannot make {self.home}: {error.strerror}") from error
        if not account.reaches(self.home):
            raise EmbeddedError(
                f"PostgreSQL runs as {account} here, who cannot enter {self.home}: "
                "name another place in BOARDCAST_DATA_DIR, or a running server in DATABASE_URL"
            )

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self.home / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise EmbeddedError(
                f"{self.home} is in use by process {holder}: stop that, or name another place in BOARDCAST_DATA_DIR"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _make_cluster(self, binaries: Path, account: Account) -> None:
        version = pgbin.major(binaries)
        if self._data.exists():
            made_by = (self._data / "PG_VERSION").read_text().strip()
            if made_by != str(version):
                raise EmbeddedError(
                    f"the data in {self.home} were made by PostgreSQL {made_by}, and {binaries} is {version}: "
                    "name that version's programs in PG_BIN, or name another place in BOARDCAST_DATA_DIR"
                )
            return
        self._keep("password", secrets.token_urlsafe(24))
        try:
            cluster.create(
                self._data,
                binaries=binaries,
                account=account,
                user=USER,
                password=self._kept("password"),
                sync=self._settings.get("fsync") != "off",
            )
        except cluster.InitdbError as error:
            raise EmbeddedError(str(error)) from error

    def _run(self, binaries: Path, account: Account) -> None:
        """Start the postmaster; another process may take the port between our look and its bind, so look again then."""
        for _ in range(ATTEMPTS):
            self._keep("port", str(loopback.free_port(self._last_port())))
            options = {
                "listen_addresses": "127.0.0.1",
                "port": str(self.port),
                "unix_socket_directories": "",
                "logging_collector": "off",
                **_TUNED,
            } | self._settings
            if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
                self.log.unlink()
            self.log.touch(mode=0o600)  # errors quote the statements, and with them data
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
            said = log.read().decode(errors="replace").strip()
        raise EmbeddedError(f"PostgreSQL did not start in {self.home}:\n{said[-2000:]}")

    def _became_ready(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            if postmaster.is_ready(self._data, process.pid):
                return True
            time.sleep(postmaster.POLL)
        return False

    def _make_database(self) -> None:
        address = self.url("postgres")
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:  # noqa: TID251 - no network
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if there is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _last_port(self) -> int | None:
        return self.port if (self.home / "port").exists() else None

    def _keep(self, name: str, text: str) -> None:
        """Write a small file, for us alone and whole at any moment."""
        with tempfile.NamedTemporaryFile("w", dir=self.home, prefix=f".{name}-", delete=False) as draft:
            draft.write(f"{text}\n")
        Path(draft.name).rename(self.home / name)


def _nearest(path: Path) -> Path:
    """Find the nearest folder above `path` that exists: what is missing below it we make ourselves."""
    return next(folder for folder in path.parents if folder.exists())
