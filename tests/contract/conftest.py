"""Every scenario runs on every transport: a client cannot tell which service, or which wire, it is served by."""

import pytest

from tests.support.streams import TRANSPORTS


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
