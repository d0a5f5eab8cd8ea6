"""One PostgreSQL for the session with one migrated template, and a clone of it for each test."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from db import migrate
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from feed.system.process import freeze_gc
from tests.support.clusters import FAST, RunServer, copied_server, prepared_cluster
from tests.support.database import (
    DEMO_TEMPLATE,
    TEMPLATE,
    Database,
    cloned,
    close_administrator,
    create_database,
    refuse_connections,
    seed_demo,
    use_cheap_password_hashes,
)
from tests.support.services import Services, add_people, serving

# Settings in a developer's environment must not reach the tests, except those meant for the tests.
PRODUCT_VARIABLES = ("BOARDCAST_", "DATABASE_URL", "LISTEN_DATABASE_URL", "JWT_", "LOG_LEVEL", "LOG_FORMAT", "PG")
TEST_PREFIX = "BOARDCAST_TEST_"

SERVER_SETTINGS = FAST | {
    "max_connections": "200",
    "max_prepared_transactions": "10",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "4000",
}

RAM_DISK = Path("/dev/shm")  # noqa: S108 - each server makes its own folder there
MIN_FREE_BYTES = 4 << 30


def _has_space(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free > MIN_FREE_BYTES


def pytest_configure() -> None:
    # Creating a cluster on a disk takes ten times the CPU. The environment is for the processes that the tests start.
    if _has_space(RAM_DISK) and not os.statvfs(RAM_DISK).f_flag & os.ST_NOEXEC:
        os.environ.setdefault("TMPDIR", str(RAM_DISK))
        tempfile.tempdir = None
    for name in [
        name for name in os.environ if name.startswith(PRODUCT_VARIABLES) and not name.startswith(TEST_PREFIX)
    ]:
        del os.environ[name]


def pytest_collection_finish() -> None:
    # 5,000 tests and all modules stay until the end: traversing them again and again took a seventh of the run.
    freeze_gc()


@pytest.fixture(scope="session")
def binaries() -> Path | None:
    """The PostgreSQL binaries to test with; None lets boardcast find them."""
    configured = os.environ.get("BOARDCAST_TEST_PG_BIN")
    return Path(configured) if configured else None


@pytest.fixture(scope="session")
def ram_disk() -> Path | None:
    """A RAM disk for the servers' data, if it has space: cloning a database is ten times faster there."""
    return RAM_DISK if _has_space(RAM_DISK) else None


@pytest.fixture(scope="session")
def server(binaries: Path | None, ram_disk: Path | None) -> Iterator[EmbeddedPostgres]:
    """The server that all tests share: do not stop it or change its global settings."""
    with ephemeral_postgres(SERVER_SETTINGS, binaries=binaries, within=ram_disk) as running:
        use_cheap_password_hashes(running)
        yield running
        close_administrator(running.url("postgres"))


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres) -> str:
    create_database(server.url("postgres"), TEMPLATE)
    migrate.upgrade(server.url(TEMPLATE))
    refuse_connections(server.url("postgres"), TEMPLATE)
    return TEMPLATE


@pytest.fixture(scope="session")
def demo_template(server: EmbeddedPostgres, template: str) -> str:
    create_database(server.url("postgres"), DEMO_TEMPLATE, template)
    seed_demo(server.url(DEMO_TEMPLATE))
    refuse_connections(server.url("postgres"), DEMO_TEMPLATE)
    return DEMO_TEMPLATE


@pytest.fixture
def database(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """A migrated database for this test."""
    with cloned(server, template) as database:
        yield database


@pytest.fixture
def demo_database(server: EmbeddedPostgres, demo_template: str) -> Iterator[Database]:
    """A database with the demo's users and boards, for this test."""
    with cloned(server, demo_template) as database:
        yield database


@pytest.fixture
def other_database(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """A second migrated database, for tests of isolation between databases."""
    with cloned(server, template) as database:
        yield database


@pytest.fixture
def empty_database(server: EmbeddedPostgres) -> Iterator[Database]:
    """An empty database, for tests of migrations."""
    with cloned(server, "template1") as database:
        yield database


@pytest.fixture(scope="session")
def migrated_cluster(binaries: Path | None, ram_disk: Path | None) -> Iterator[Path]:
    """The directory of a stopped server to copy; see tests.support.clusters."""
    with prepared_cluster(binaries=binaries, within=ram_disk) as home:
        yield home


@pytest.fixture
def run_server(binaries: Path | None, ram_disk: Path | None, migrated_cluster: Path) -> RunServer:
    """Run a server with settings of the test's own: `with run_server({…}) as server`."""
    return partial(copied_server, migrated_cluster, binaries=binaries, within=ram_disk)


@pytest.fixture
def own_server(run_server: RunServer) -> Iterator[EmbeddedPostgres]:
    """A server for this test to stop, kill and start; its database `boardcast` is migrated, and fsync is on."""
    with run_server({name: value for name, value in SERVER_SETTINGS.items() if name not in FAST}) as running:
        yield running


@pytest.fixture
async def services(database: Database) -> AsyncIterator[Services]:
    """The feed and the API, with the users and boards of tests.support.services.add_people."""
    await add_people(database)
    async with serving(database) as services:
        yield services


@pytest.fixture
async def serve(database: Database) -> AsyncIterator[Any]:
    """Start services with given settings: `await serve(heartbeat_interval=0.2)`. Each call starts another instance."""
    await add_people(database)
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Services:
            return await stack.enter_async_context(serving(database, **settings))

        yield start
