"""A folder for the command to run in, and what it leaves behind taken away."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from db.embedded import postmaster
from db.embedded.loopback import free_port
from tests.cli.harness import SECRET, Commands
from tests.support.database import Database


@pytest.fixture
def commands() -> Iterator[Commands]:
    """Commands in a new folder, on ports of their own, which they keep."""
    with tempfile.TemporaryDirectory(prefix="boardcast-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # the embedded server's account has to pass through
        ports = {"BOARDCAST_API_PORT": str(free_port()), "BOARDCAST_FEED_PORT": str(free_port())}
        yield Commands(folder, ports)
        for data in folder.glob("*/postgres/data"):
            with suppress(TimeoutError):
                postmaster.end_earlier(data)


@pytest.fixture
def production(commands: Commands, database: Database) -> Commands:
    """The same, with what a production has set: a database and a secret."""
    commands.env |= {"DATABASE_URL": database.url, "JWT_SECRET": SECRET}
    return commands
