"""Attackers on real sockets. Some tests look into a service in their own process, others measure services that run as processes."""

from collections.abc import Iterator

import pytest

from db.embedded.server import EmbeddedPostgres
from tests.contract.conftest import database, services, services_and_database, shared_services, transport
from tests.hostile.services import attacked
from tests.hostile.stage import Stage
from tests.support.database import cloned

__all__ = ["database", "services", "services_and_database", "shared_services", "transport"]


@pytest.fixture(scope="module")
def stage(server: EmbeddedPostgres, template: str) -> Iterator[Stage]:
    """A feed and an API with short timeouts, reached directly and through Caddy."""
    with cloned(server, template) as database, attacked(database) as stage:
        yield stage
