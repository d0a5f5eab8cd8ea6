"""Fixtures that lend one feed and one API to the tests of a module in turn; see tests.support.shared_services.

A conftest that imports them replaces the fixtures `services` and `database` for its tests. A test of an instance that starts calls
`services.stop()` first. A test that uses `serve` starts its own.
"""

from collections.abc import AsyncIterator

import pytest

from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database, cloned
from tests.support.services import Services
from tests.support.shared_services import SharedServices


@pytest.fixture(scope="module")
async def shared_services(server: EmbeddedPostgres, template: str) -> AsyncIterator[SharedServices]:
    shared = SharedServices(server, template)
    yield shared
    await shared.close()


@pytest.fixture
async def services_and_database(shared_services: SharedServices) -> AsyncIterator[tuple[Database, Services]]:
    async with shared_services.lent() as lent:
        yield lent


@pytest.fixture
async def services(services_and_database: tuple[Database, Services]) -> Services:
    """The feed and the API, with the users and boards of tests.support.services.add_people."""
    return services_and_database[1]


@pytest.fixture
async def database(request: pytest.FixtureRequest, server: EmbeddedPostgres, template: str) -> AsyncIterator[Database]:
    """The database of the services, or one of the test's own if it does not use them."""
    if "services_and_database" in request.fixturenames:
        yield request.getfixturevalue("services_and_database")[0]
    else:
        with cloned(server, template) as database:
            yield database
