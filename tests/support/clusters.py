"""Servers that a test may stop, kill or configure: each runs on a copy of one cluster, which is faster than running initdb."""

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from db import migrate
from db.embedded.server import EmbeddedPostgres
from tests.support.database import use_cheap_password_hashes

FAST = {"fsync": "off", "full_page_writes": "off"}


class RunServer(Protocol):
    """The fixture `run_server`."""

    def __call__(self, settings: Mapping[str, str]) -> AbstractContextManager[EmbeddedPostgres]: ...


@contextmanager
def prepared_cluster(*, binaries: Path | None, within: Path | None) -> Iterator[Path]:
    """Create a cluster whose database `boardcast` is migrated, and stop its server; the directory to copy."""
    with _folder(within) as folder:
        home = folder / "postgres"
        with EmbeddedPostgres(home, settings=FAST, binaries=binaries) as server:
            use_cheap_password_hashes(server)
            migrate.upgrade(server.url())
        (home / "port").unlink()  # each copy chooses its own
        yield home


@contextmanager
def copied_server(
    prepared: Path, settings: Mapping[str, str], *, binaries: Path | None, within: Path | None = None
) -> Iterator[EmbeddedPostgres]:
    """Run a server on a copy of a prepared cluster. Copies share one system identifier, as copies of a volume do."""
    with _folder(within) as folder:
        home = folder / "postgres"
        copy_cluster(prepared, home)
        with EmbeddedPostgres(home, settings=settings, binaries=binaries) as server:
            yield server


def copy_cluster(prepared: Path, home: Path) -> None:
    """Copy a stopped cluster to a directory that does not exist yet."""
    subprocess.run(["/bin/cp", "-a", prepared, home], check=True)  # with its owners


@contextmanager
def _folder(within: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="boardcast-", dir=within) as name:
        folder = Path(name)
        folder.chmod(0o711)  # the account of the server has to pass through
        yield folder
