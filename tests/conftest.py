"""One PostgreSQL for the session, one migrated template in it, and a clone of that for each test that asks."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from db import migrate
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from tests.support.database import TEMPLATE, Database, cheapen, cloned, create
from tests.support.services import Services, people, serving

# What a developer has set for the product must not reach the tests; what is meant for them stays.
FOREIGN = ("BOARDCAST_", "DATABASE_URL", "LISTEN_DATABASE_URL", "JWT_", "LOG_LEVEL", "LOG_FORMAT", "PG")
OURS = "BOARDCAST_TEST_"

SERVER_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "max_prepared_transactions": "10",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "4000",
}

MEMORY = Path("/dev/shm")  # noqa: S108 - each server makes a folder of its own there
ROOM = 4 << 30


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith(FOREIGN) and not name.startswith(OURS)]:
        del os.environ[name]


@pytest.fixture(scope="session")
def binaries() -> Path | None:
    """The PostgreSQL to test with; None for the one that boardcast finds itself."""
    named = os.environ.get("BOARDCAST_TEST_PG_BIN")
    return Path(named) if named else None


@pytest.fixture(scope="session")
def memory() -> Path | None:
    """A folder in memory for servers' data, where there is room; a clone takes a tenth of the time there."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


@pytest.fixture(scope="session")
def server(binaries: Path | None, memory: Path | None) -> Iterator[EmbeddedPostgres]:
    """The server all tests share: not for stopping, nor for settings of the whole server."""
    with ephemeral_postgres(SERVER_SETTINGS, binaries=binaries, within=memory) as running:
        cheapen(running)
        yield running


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres) -> str:
    create(server.url("postgres"), TEMPLATE)
    migrate.upgrade(server.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    with cloned(server, template) as database:
        yield database


@pytest.fixture
def other_database(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """A second one, for what must not reach across."""
    with cloned(server, template) as database:
        yield database


@pytest.fixture
def empty_database(server: EmbeddedPostgres) -> Iterator[Database]:
    """A database with nothing in it, for migrations."""
    with cloned(server, "template1") as database:
        yield database


@pytest.fixture
def own_server(binaries: Path | None, memory: Path | None) -> Iterator[EmbeddedPostgres]:
    """A server of the test's own, to stop, kill and start: its database `boardcast` is migrated, and fsync is on."""
    settings = {name: value for name, value in SERVER_SETTINGS.items() if name not in {"fsync", "full_page_writes"}}
    with ephemeral_postgres(settings, binaries=binaries, within=memory) as running:
        cheapen(running)
        migrate.upgrade(running.url())
        yield running


@pytest.fixture
async def services(database: Database) -> AsyncIterator[Services]:
    """The feed and the API, with people and two boards (see tests.support.services.people)."""
    await people(database)
    async with serving(database) as services:
        yield services


@pytest.fixture
async def serve(database: Database) -> AsyncIterator[Any]:
    """The same, with settings of the test's own: `await serve(heartbeat_interval=0.2)`; called again, a second instance."""
    await people(database)
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Services:
            return await stack.enter_async_context(serving(database, **settings))

        yield start
