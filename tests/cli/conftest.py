"""Fixtures that run the command in a temporary folder and clean up after it."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from db.embedded import postmaster
from db.embedded.loopback import free_port
from tests.cli.harness import SECRET, Commands
from tests.support.clusters import FAST, copied_server, copy_cluster
from tests.support.database import Database, seed_demo


@pytest.fixture
def commands() -> Iterator[Commands]:
    """Run commands in a new folder, on free ports that stay the same for the test."""
    with tempfile.TemporaryDirectory(prefix="boardcast-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # the embedded server's account has to enter it
        ports = {"BOARDCAST_API_PORT": str(free_port()), "BOARDCAST_FEED_PORT": str(free_port())}
        yield Commands(folder, ports)
        for data in folder.glob("*/postgres/data"):
            with suppress(TimeoutError):
                postmaster.end_earlier(data)


@pytest.fixture(scope="session")
def demo_cluster(migrated_cluster: Path, binaries: Path | None, ram_disk: Path | None) -> Iterator[Path]:
    """The directory of a stopped server with the demo's data, to copy."""
    with copied_server(migrated_cluster, FAST, binaries=binaries, within=ram_disk) as server:
        seed_demo(server.url())
        server.stop()
        yield server.home


@pytest.fixture
def started_before(commands: Commands, demo_cluster: Path) -> Commands:
    """Commands in a folder where `boardcast up` has run before, so that it need not create its cluster again."""
    home = commands.folder / ".boardcast" / "postgres"
    home.parent.mkdir(mode=0o711)
    home.parent.chmod(0o711)
    copy_cluster(demo_cluster, home)
    return commands


@pytest.fixture
def production(commands: Commands, database: Database) -> Commands:
    """Commands with the settings of a production: a database and a secret."""
    commands.env |= {"DATABASE_URL": database.url, "JWT_SECRET": SECRET}
    return commands
