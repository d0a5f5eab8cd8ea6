"""Every scenario runs on every transport: clients get the same events from each service and over each wire format."""

import pytest

from tests.support.lending import database, services, services_and_database, shared_services
from tests.support.streams import TRANSPORTS

__all__ = ["database", "services", "services_and_database", "shared_services", "transport"]


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
