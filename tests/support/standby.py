"""A hot standby of a test's server, made by pg_basebackup and stopped like any server."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg

from db.embedded import cluster
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, runnable_binaries
from db.embedded.server import EmbeddedPostgres
from tests.support.until import wait_until


@contextmanager
def standby_of(
    primary: EmbeddedPostgres, settings: dict[str, str], *, binaries: Path | None = None
) -> Iterator[EmbeddedPostgres]:
    """Copy a running server and follow it; the copy has its users and passwords."""
    with tempfile.TemporaryDirectory(prefix="boardcast-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder, "standby")
        home.mkdir(mode=0o711)
        _copy(primary, home, binaries)
        with EmbeddedPostgres(home, settings=settings, binaries=binaries) as server:
            yield server


def _copy(primary: EmbeddedPostgres, home: Path, binaries: Path | None) -> None:
    account = Account.choose()
    program = runnable_binaries(binaries or find_binaries(), account) / "pg_basebackup"
    (home / "password").write_text((primary.home / "password").read_text())
    data = home / "data"
    data.mkdir(mode=0o700)
    account.own(data)
    with (home / "copied").open("wb") as output:
        made = account.spawn(
            [program, "--pgdata", data, "--write-recovery-conf", "--checkpoint=fast", "--dbname", primary.url("")],
            output=output,
            env=cluster.environment(),
        ).wait()
    assert made == 0, (home / "copied").read_text()


def ask(server: EmbeddedPostgres, statement: LiteralString) -> object:
    """The one value that a server answers."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
        assert row is not None
        return row[0]


def promote(server: EmbeddedPostgres) -> None:
    """Make a standby a primary; it takes writes when this returns."""
    assert ask(server, "SELECT pg_promote(true, 30)") is True


def caught_up(primary: EmbeddedPostgres, standby: EmbeddedPostgres) -> None:
    """Wait until a standby has replayed what the primary has written."""
    with (
        psycopg.connect(primary.url(), autocommit=True) as there,
        psycopg.connect(standby.url(), autocommit=True) as here,
    ):
        (lsn,) = there.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() or ("",)

        def replayed() -> bool:
            (reached,) = here.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [lsn]).fetchone() or (False,)
            return bool(reached)

        wait_until(replayed, timeout=20, what=f"the standby to be at {lsn}")
