"""A hot standby of a test's server, made by pg_basebackup."""

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
    """Run a standby copied from a running server, with the same users and passwords."""
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
    with (home / "pg_basebackup.log").open("wb") as output:
        returncode = account.spawn(
            [program, "--pgdata", data, "--write-recovery-conf", "--checkpoint=fast", "--dbname", primary.url("")],
            output=output,
            env=cluster.environment(),
        ).wait()
    assert returncode == 0, (home / "pg_basebackup.log").read_text()


def fetch_value(server: EmbeddedPostgres, statement: LiteralString) -> object:
    """Run a query and return its single value."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
        assert row is not None
        return row[0]


def promote(server: EmbeddedPostgres) -> None:
    """Promote a standby; when this returns, it accepts writes."""
    assert fetch_value(server, "SELECT pg_promote(true, 30)") is True


def wait_for_replay(primary: EmbeddedPostgres, standby: EmbeddedPostgres) -> None:
    """Wait until a standby has replayed everything the primary has flushed."""
    with (
        psycopg.connect(primary.url(), autocommit=True) as primary_conn,
        psycopg.connect(standby.url(), autocommit=True) as standby_conn,
    ):
        (lsn,) = primary_conn.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() or ("",)

        def replayed() -> bool:
            (reached,) = standby_conn.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [lsn]).fetchone() or (
                False,
            )
            return bool(reached)

        wait_until(replayed, timeout=20, what=f"the standby to be at {lsn}")
