from collections.abc import Iterator

import pytest

from tests.cli.conftest import commands, production
from tests.cli.harness import Commands
from tests.deploy.gateway import Gateway
from tests.deploy.proxies import PROXIES, Proxy

__all__ = ["commands", "gateway", "production"]


@pytest.fixture(params=PROXIES, ids=lambda proxy: proxy.__name__)
def gateway(request: pytest.FixtureRequest, production: Commands) -> Iterator[Gateway]:
    """Two feeds and two APIs behind each of the proxies."""
    proxy: Proxy = request.param
    gateway = Gateway(production, proxy)
    with gateway.running():
        yield gateway
