from collections.abc import Iterator

import pytest

from tests.cli.conftest import commands, production
from tests.cli.harness import Commands
from tests.deploy.gateway import Gateway

__all__ = ["commands", "gateway", "production"]


@pytest.fixture
def gateway(production: Commands) -> Iterator[Gateway]:
    """Two feeds and two APIs behind Caddy."""
    gateway = Gateway(production)
    with gateway.running():
        yield gateway
